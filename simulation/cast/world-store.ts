// The store that the directors of a world share: the testkit's twin, what happens to it, and since when all is well with it. What
// a director opens here is its own connection, which ends with the control process that has it.
import type { Clock } from '#core/clock.js'
import { StoreTwin } from '#testkit/store/store-twin.js'
import { VOID_FIELD } from '../../apps/control/src/store/scripts.js'
import type { SharedStore, StoreEvents, StoreOptions } from '../../apps/control/src/store/shared-store.js'
import { FOREIGN_ADDRESS } from './address-book.js'
import type { Random } from '../basics/random.js'
import type { Trace } from '../basics/trace.js'
import type { VirtualTime } from '../basics/virtual-time.js'

/** What may happen to it. */
export const storeEvents = ['storm', 'down', 'asleep', 'failOver', 'emptied', 'split', 'cut', 'forged'] as const
export type StoreEvent = typeof storeEvents[number]

export interface StoreProfile {
  /** One way, in ms. */
  readonly leastMs: number
  readonly mostMs: number
  /** In a storm: share of calls that are lost, whose answers are lost or late, and of messages that are lost. */
  readonly lost: number
  /** The longest that anything lasts, in ms. */
  readonly mostTroubleMs: number
}

export interface WorldStoreOptions {
  readonly profile: StoreProfile
  readonly random: Random
  readonly time: VirtualTime
  /** The store's own. */
  readonly clock: Clock
  readonly trace: Trace
}

/** Who connects: a control process. */
export interface StoreUser {
  /** Of its director. */
  readonly director: number
  readonly isAlive: () => boolean
}

interface Connection extends StoreUser {
  readonly replica: string
  /** Undefined while it is not connected. */
  upSinceMs: number | undefined
  /** When it first knew the keys of marks. */
  firstKeysMs: number | undefined
}

const FOR_EVER_MS = -1

/** Until directors agree on other keys, in ms: each reads them when it is connected again. */
const SETTLING_MS = 5000

/** What every key begins with, with the default configuration. */
const PREFIX = 'ud1:'

export class WorldStore {
  readonly twin: StoreTwin
  /** Called around whatever may lose something: `lose` does it. */
  onLoss: (lose: () => void) => void = lose => { lose() }
  /** Called with a token or a client address whose record was written by somebody else. */
  onForged: (of: string) => void = () => undefined
  readonly #options: WorldStoreOptions
  readonly #connections: Connection[] = []
  #troubles = 0
  // When it lost the keys of marks.
  readonly #keyLosses: number[] = []
  #calmSinceMs = FOR_EVER_MS
  /** Whether there are two primaries. */
  isSplit = false

  constructor (options: WorldStoreOptions) {
    const { random, clock } = options
    this.#options = options
    this.twin = new StoreTwin({ clock, random: random.next })
    this.#settle()
  }

  /** A control process opens it. */
  open (user: StoreUser, { replica, deadlineMs, events }: StoreOptions): SharedStore {
    const { time } = this.#options
    const connection: Connection = { ...user, replica, upSinceMs: undefined, firstKeysMs: undefined }
    this.#connections.push(connection)
    const heard: StoreEvents = {
      ...events,
      onUp: isAgain => {
        connection.upSinceMs = time.nowMs
        events.onUp(isAgain)
      },
      onDown: reason => {
        connection.upSinceMs = undefined
        events.onDown(reason)
      }
    }
    return this.twin.open(replica, heard, deadlineMs)
  }

  /** Since when every call and message arrives and nothing is lost; undefined: something is wrong now. */
  get calmSinceMs (): number | undefined { return this.#troubles > 0 ? undefined : this.#calmSinceMs }

  /** Since when every control process of a director has been connected, and nothing wrong; undefined: that is not so. */
  wellSinceMs (director: number): number | undefined {
    const calmMs = this.calmSinceMs
    const own = this.#connections.filter(connection => connection.director === director && connection.isAlive())
    if (calmMs === undefined || own.length === 0 || own.some(({ upSinceMs }) => upSinceMs === undefined)) return undefined
    return Math.max(calmMs, ...own.map(({ upSinceMs }) => upSinceMs!))
  }

  /** A control process has read the keys of marks. */
  keysRead ({ isAlive }: StoreUser): void {
    const connection = this.#connections.find(other => other.isAlive === isAlive)
    if (connection !== undefined) connection.firstKeysMs ??= this.#options.time.nowMs
  }

  /** Whether the control processes of a director have ever read the keys, those that are alive. */
  hasReached (director: number): boolean {
    return this.#connections.every(({ director: other, isAlive, firstKeysMs }) => other !== director || !isAlive() || firstKeysMs !== undefined)
  }

  /** Whether a director may not know the keys of then: it came when the store had lost them, since then or a moment before. */
  isNewSince (director: number, thenMs: number): boolean {
    const lostMs = this.#keyLosses.find(lossMs => lossMs >= thenMs - SETTLING_MS)
    return lostMs !== undefined && this.#connections.some(({ director: other, isAlive, firstKeysMs }) => other === director && isAlive() && (firstKeysMs ?? Infinity) > lostMs)
  }

  /** Whether all that are alive are well since then. */
  isWellSince (sinceMs: number): boolean {
    const calmMs = this.calmSinceMs
    return calmMs !== undefined && calmMs <= sinceMs && this.#connections.every(({ isAlive, upSinceMs }) => !isAlive() || (upSinceMs !== undefined && upSinceMs <= sinceMs))
  }

  /** What it holds of the redemptions of a token, by data port. */
  claimsOf (token: string): ReadonlyMap<string, string> | undefined {
    return this.twin.data.hash(`${PREFIX}t:{${token}}:c`)
  }

  /** Whether it knows a token. */
  hasToken (token: string): boolean {
    return this.twin.data.text(`${PREFIX}t:{${token}}`) !== undefined
  }

  /** Whether it holds that a token is void. */
  isVoid (token: string): boolean {
    return this.twin.data.hash(`${PREFIX}t:{${token}}:c`)?.has(VOID_FIELD) === true
  }

  /** What it holds of where a client's datagrams go: the sequence, and the record as JSON. */
  bindingOf (client: string): { readonly sequence: number, readonly json: string } | undefined {
    const [, sequence, json = ''] = /^(\d+) \d+ \S+ (.*)$/s.exec(this.twin.data.text(`${PREFIX}s:${client}`) ?? '') ?? []
    return sequence === undefined ? undefined : { sequence: Number(sequence), json }
  }

  happen (event: StoreEvent): void {
    const { random, time, trace, profile: { mostTroubleMs } } = this.#options
    const lastsMs = random.between(0, mostTroubleMs)
    // One thing at a time: then it is known what is wrong.
    if (this.#troubles > 0) return
    trace.note('store', time.nowMs, storeEvents.indexOf(event), lastsMs)
    if (event === 'forged') this.#forge()
    else if (event === 'storm') this.#trouble(lastsMs, () => { this.#rage() }, () => { this.#settle() })
    else if (event === 'down') this.#trouble(lastsMs, () => { this.twin.goDown() }, () => { this.twin.comeUp() })
    else if (event === 'emptied') this.#trouble(lastsMs, () => { this.#lose(() => { this.#restart() }) }, () => { this.twin.comeUp() })
    else if (event === 'asleep') this.#trouble(lastsMs, () => { this.twin.pause() }, () => { this.twin.wake() })
    else if (event === 'failOver') this.#failOver(random.pick([0, random.between(0, 1000)]), lastsMs)
    else if (event === 'cut') this.#cut(lastsMs)
    else this.#split(lastsMs)
  }

  #failOver (forgetMs: number, lastsMs: number): void {
    this.#trouble(lastsMs, () => { this.#lose(() => { this.twin.failOver(forgetMs, lastsMs) }) }, () => undefined)
  }

  // Whoever owns the store sends players elsewhere.
  #forge (): void {
    const { data } = this.twin
    const keys = data.keys.filter(key => key.startsWith(`${PREFIX}t:`) || key.startsWith(`${PREFIX}s:`)).filter(key => data.text(key) !== undefined)
    if (keys.length === 0) return
    const key = this.#options.random.pick(keys)
    data.set(key, data.text(key)!.replace(/"address":"[^"]*"/, `"address":"${FOREIGN_ADDRESS}"`), data.ttl(key))
    this.onForged(key.slice(PREFIX.length + 2).replace(/[{}]/g, ''))
  }

  #restart (): void {
    this.twin.goDown()
    this.twin.empty()
  }

  #cut (lastsMs: number): void {
    const replicas = this.#anyDirector()
    this.#trouble(lastsMs, () => { for (const replica of replicas) this.twin.cut(replica) }, () => { for (const replica of replicas) this.twin.reconnect(replica) })
  }

  #split (lastsMs: number): void {
    const replicas = this.#anyDirector()
    const stays = this.#options.random.pick(['first', 'second'] as const)
    const begin = (): void => {
      this.isSplit = true
      this.twin.split(replicas)
    }
    this.#trouble(lastsMs, () => { this.#lose(begin) }, () => {
      this.#lose(() => { this.twin.heal(stays) })
      this.isSplit = false
    })
  }

  // The connections of one of them.
  #anyDirector (): readonly string[] {
    const alive = this.#connections.filter(({ isAlive }) => isAlive())
    if (alive.length === 0) return []
    const { director } = this.#options.random.pick(alive)
    return alive.filter(connection => connection.director === director).map(({ replica }) => replica)
  }

  #trouble (lastsMs: number, begin: () => void, end: () => void): void {
    const { time } = this.#options
    this.#troubles++
    begin()
    time.plan(lastsMs, () => {
      end()
      this.#troubles--
      this.#calmSinceMs = time.nowMs
    }, true)
  }

  #lose (lose: () => void): void {
    const { nowMs } = this.#options.time
    const keys = this.twin.data.text(`${PREFIX}key`)
    this.#calmSinceMs = nowMs
    this.onLoss(lose)
    if (this.twin.data.text(`${PREFIX}key`) !== keys) this.#keyLosses.push(nowMs)
  }

  #settle (): void {
    const { leastMs, mostMs } = this.#options.profile
    this.twin.setWeather({ leastMs, mostMs })
  }

  #rage (): void {
    const { leastMs, mostMs, lost } = this.#options.profile
    this.twin.setWeather({ leastMs, mostMs: 4 * mostMs, lostRequests: lost, lostReplies: lost, lateReplies: lost, lostMessages: lost })
  }
}
