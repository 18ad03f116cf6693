// The store that directors share, in memory: for tests and for the simulation. Several replicas open it; its time is a clock's, and
// everything that a real one does to its clients can be done to them: it is slow, loses answers, goes down, fails over and forgets,
// becomes two, comes back empty. What it holds is text, as in the real one: a test can write there what no director would.
import type { Clock } from '#core/clock.js'
import { createSharedStore } from '../../apps/control/src/store/create-shared-store.js'
import type { SharedStore, StoreEvents } from '../../apps/control/src/store/shared-store.js'
import { TwinData } from './twin-data.js'
import { TwinLink, type Fate } from './twin-link.js'
import { twinScripts } from './twin-scripts.js'

export interface StoreTwinOptions {
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** As in the configuration. */
  readonly prefix?: string
}

/** What happens to calls, until it is set otherwise. Chances are from 0 to 1. */
export interface TwinWeather {
  /** One way, in ms; each call draws both of its ways. */
  readonly leastMs: number
  readonly mostMs: number
  /** The call is not executed, and there is no answer. */
  readonly lostRequests: number
  /** It is executed, and there is no answer. */
  readonly lostReplies: number
  /** It is executed, and the answer comes after the deadline. */
  readonly lateReplies: number
  readonly lostMessages: number
}

const calm: TwinWeather = { leastMs: 0, mostMs: 0, lostRequests: 0, lostReplies: 0, lateReplies: 0, lostMessages: 0 }

/** A client that has lost it tries again so long after, plus as much again at random, in ms. */
const RECONNECT_MS = 50

interface Primary {
  data: TwinData
  isPaused: boolean
  /** What waits for it to wake. */
  readonly waiting: Array<() => void>
}

interface Client {
  readonly replica: string
  readonly link: TwinLink
  /** Which primary it reaches. */
  primary: Primary
  /** Why it reaches none. */
  cut: string | undefined
}

export class StoreTwin {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #prefix: string
  readonly #clients = new Set<Client>()
  readonly #first: Primary
  #second: Primary | undefined
  #weather = calm
  #down: string | undefined
  #unsuitable: string | undefined
  #fault: string | undefined

  constructor ({ clock, random, prefix = 'ud' }: StoreTwinOptions) {
    this.#clock = clock
    this.#random = random
    this.#prefix = prefix
    this.#first = { data: new TwinData(clock.wallNow), isPaused: false, waiting: [] }
  }

  /** A replica's store. It connects when it is started, in a later turn. */
  open (replica: string, events: StoreEvents, deadlineMs: number): SharedStore {
    const clock = this.#clock
    return createSharedStore({ prefix: this.#prefix, replica, now: clock.now, events }, (channels, backendEvents) => {
      const link: TwinLink = new TwinLink({
        clock,
        deadlineMs,
        draw: () => this.#draw(deadlineMs),
        execute: work => { this.#execute(client, work) },
        script: (name, keys, args) => twinScripts[name](client.primary.data, keys, args),
        publish: (channel, text) => this.#publish(client.primary, channel, text),
        fault: () => this.#fault,
        onStart: () => { this.#reach(client, 0) },
        onSilence: () => { this.#reach(client) },
        onClose: () => { this.#clients.delete(client) }
      }, channels, backendEvents)
      const client: Client = { replica, link, primary: this.#first, cut: undefined }
      this.#clients.add(client)
      return link
    })
  }

  /** What the first primary holds: to look, and to write what no director would. */
  get data (): TwinData {
    return this.#first.data
  }

  /** What the second one holds, while there are two. */
  get secondData (): TwinData | undefined {
    return this.#second?.data
  }

  /** Whether every replica reaches one primary that answers. */
  get isWhole (): boolean {
    return this.#down === undefined && this.#unsuitable === undefined && this.#second === undefined && !this.#first.isPaused &&
      [...this.#clients].every(({ cut }) => cut === undefined)
  }

  setWeather (weather: Partial<TwinWeather>): void {
    this.#weather = { ...calm, ...weather }
  }

  /** It refuses connections, and those that it had are broken. */
  goDown (reason = 'connection refused'): void {
    this.#down = reason
    for (const { link } of this.#clients) link.disconnect(reason)
  }

  /** It is there again, with what it had. */
  comeUp (): void {
    this.#down = undefined
    this.#reachAll()
  }

  /** It answers nothing (SIGSTOP); calls wait in its sockets, and it does them when it wakes. */
  pause (): void {
    this.#first.isPaused = true
  }

  wake (): void {
    this.#first.isPaused = false
    for (const work of this.#first.waiting.splice(0)) work()
    this.#reachAll()
  }

  /** It has lost everything, and nobody has noticed (FLUSHALL). A restart is `goDown`, `empty`, `comeUp`. */
  empty (): void {
    this.#first.data.empty()
  }

  /** Its primary is gone, and `outageMs` later another one is there that knows nothing of the last `forgetMs` (10 s at most). */
  failOver (forgetMs: number, outageMs: number): void {
    this.goDown('the primary is gone')
    this.#first.data.forget(forgetMs)
    this.#clock.after(outageMs, () => { this.comeUp() })
  }

  /** From now on there are two primaries; `isolated` replicas write to the second, and hear nothing of the others. */
  split (isolated: readonly string[]): void {
    this.#second = { data: this.#first.data.copy(), isPaused: false, waiting: [] }
    for (const client of this.#clients) if (isolated.includes(client.replica)) this.#move(client, this.#second)
  }

  /** One of two primaries stays; what was written to the other is lost. */
  heal (stays: 'first' | 'second'): void {
    if (this.#second === undefined) return
    const losers = [...this.#clients].filter(({ primary }) => (primary === this.#first) !== (stays === 'first'))
    if (stays === 'second') this.#first.data = this.#second.data
    const second = this.#second
    this.#second = undefined
    for (const client of losers) this.#move(client, this.#first)
    for (const client of this.#clients) if (client.primary === second) client.primary = this.#first
  }

  /** This replica reaches it no more. */
  cut (replica: string, reason = 'no route to host'): void {
    this.#each(replica, client => {
      client.cut = reason
      client.link.disconnect(reason)
    })
  }

  reconnect (replica: string): void {
    this.#each(replica, client => {
      client.cut = undefined
      this.#reach(client)
    })
  }

  /** It is found to be set up wrong; undefined: it is all right again. */
  setUnsuitable (reason: string | undefined): void {
    this.#unsuitable = reason
    if (reason === undefined) this.#reachAll()
    else for (const { link } of this.#clients) link.disconnect(reason, 'unsuitable')
  }

  /** It answers everything but messages with this error (its memory is full); undefined: it works again. */
  refuse (fault: string | undefined): void {
    this.#fault = fault
  }

  /** Says something on a channel that no director says. */
  publish (channel: string, text: string): void {
    this.#publish(this.#first, channel, text)
  }

  #each (replica: string, run: (client: Client) => void): void {
    for (const client of this.#clients) if (client.replica === replica) run(client)
  }

  #move (client: Client, primary: Primary): void {
    client.link.disconnect('the primary is another one')
    client.primary = primary
    this.#reach(client)
  }

  #reachAll (): void {
    for (const client of this.#clients) this.#reach(client)
  }

  #reach (client: Client, afterMs = RECONNECT_MS * (1 + this.#random())): void {
    const { link } = client
    this.#clock.after(afterMs, () => {
      if (!this.#clients.has(client) || link.status === 'up' || !link.isStarted) return
      const fault = this.#unsuitable ?? this.#down ?? client.cut ?? (client.primary.isPaused ? 'it does not answer' : undefined)
      if (fault === undefined) link.connect()
      else link.disconnect(fault, this.#unsuitable === undefined ? 'down' : 'unsuitable')
    })
  }

  #draw (deadlineMs: number): Fate {
    const { leastMs, mostMs, lostRequests, lostReplies, lateReplies } = this.#weather
    const way = (): number => leastMs + (mostMs - leastMs) * this.#random()
    const chance = this.#random()
    const isLate = this.#random() < lateReplies
    return {
      requestMs: way(),
      replyMs: way() + (isLate ? deadlineMs : 0),
      lost: chance < lostRequests ? 'request' : chance < lostRequests + lostReplies ? 'reply' : undefined
    }
  }

  #execute ({ primary, cut }: Client, work: () => void): void {
    if (this.#down !== undefined || cut !== undefined) return
    if (primary.isPaused) primary.waiting.push(work)
    else work()
  }

  #publish (primary: Primary, channel: string, text: string): number {
    const { leastMs, mostMs, lostMessages } = this.#weather
    const heard = [...this.#clients].filter(client => client.primary === primary && client.link.channels.has(channel))
    for (const { link } of heard) {
      if (this.#random() >= lostMessages) link.hear(text, leastMs + (mostMs - leastMs) * this.#random())
    }
    return heard.length
  }
}
