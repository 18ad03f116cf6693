// One forwarder with its clients, and what can be measured there. Sides are up at the same time and measured in turn.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Forwarder } from './forwarders/forwarder.js'
import type { Sending, Sent } from './generator/pace.js'
import type { Lab, Target } from './lab.js'
import { balance, dropsSince, type Ledger } from './ledger.js'
import { cpuMicros, socketDrops } from './process-usage.js'
import type { Counts } from './sink/main.js'

export type Figures = Readonly<Record<string, number>>

export interface SideOptions {
  readonly label: string
  readonly lab: Lab
  readonly forwarder: Forwarder
  readonly target: Target
  readonly clients: number
  readonly bytes: number
}

interface Reading {
  readonly cpuMicros: number
  readonly target: Counts
  readonly drops: Readonly<Record<string, number>>
}

interface Flight extends Sent {
  readonly received: number
  /** Until the last one arrived, in seconds. */
  readonly elapsed: number
  readonly cpuMicros: number
  /** Datagrams that the forwarder sent on, whether or not there was room for them at the target. */
  readonly forwarded: number
  /** What had arrived when the generator had just said that it was done. */
  readonly inTime: number
}

// A reading is final when nothing has changed for so long, unless the ledger balances before.
const QUIET_MS = 200
const POLL_MS = 20

/** Datagrams of which no more may be missing at a rate that counts as free of loss. */
const LOSS = 0.001
const STEP = 1.08
const MAX_STEPS = 14
const HINT_SECONDS = 0.3
// What the generator may fall behind before it is the generator that is measured.
const BEHIND = 0.97

export class Side {
  readonly label: string
  readonly forwarder: Forwarder
  readonly clients: number
  /** Of every measurement so far. */
  readonly ledgers: Ledger[] = []
  readonly #options: SideOptions
  #hint: number | undefined

  constructor (options: SideOptions) {
    this.label = options.label
    this.forwarder = options.forwarder
    this.clients = options.clients
    this.#options = options
  }

  /** Sends one datagram from each client, so that there are sessions for all of them. Returns why not. */
  async prepare (): Promise<string | undefined> {
    const { lab: { generator }, clients, forwarder: { name } } = this.#options
    const perSecond = { direct: 100_000, dgram: 15_000, 'dgram-shared': 15_000, batch: 40_000, 'batch-any': 40_000, 'batch-shared': 40_000, 'batch-2': 40_000, nginx: 5000, socat: 50 }[name]
    for (let pass = 0; pass < 5; pass++) {
      await this.#aim()
      await generator.call('send', { count: clients, perSecond })
      await sleep(QUIET_MS)
      const sessions = await this.forwarder.sessions()
      if (sessions === undefined || sessions >= clients) return undefined
    }
    return `it has no sessions for all of ${clients} clients`
  }

  /** One way, as fast as the generator can. */
  async saturation (seconds: number): Promise<Figures> {
    const flight = await this.#fly({ seconds })
    this.#hint ??= flight.received / flight.elapsed * 0.9
    return {
      deliveredPerSecond: flight.received / flight.elapsed,
      ...this.#cpu(flight.cpuMicros, flight.forwarded, flight.elapsed)
    }
  }

  /** One way, the highest rate of which no more than a thousandth is missing or late, found in steps. */
  async lossFree (seconds: number): Promise<Figures> {
    if (this.#hint === undefined) await this.saturation(HINT_SECONDS)
    let rate = this.#hint!
    let probe = await this.#probe(seconds, rate)
    const goesUp = probe.hasPassed
    let best = goesUp ? probe : undefined
    for (let step = 0; step < MAX_STEPS && !probe.isLimited; step++) {
      rate *= goesUp ? STEP : 1 / STEP
      probe = await this.#probe(seconds, rate)
      if (probe.hasPassed) best = probe
      if (probe.hasPassed !== goesUp) break
    }
    // Where no rate was without loss there is no figure.
    if (best === undefined) return { lossFreePerSecond: NaN, limitedByGenerator: 0 }
    this.#hint = best.perSecond
    return { lossFreePerSecond: best.perSecond, limitedByGenerator: goesUp && probe.isLimited ? 1 : 0 }
  }

  /** There and back, at this rate. */
  async roundTrips (seconds: number, perSecond: number): Promise<Figures> {
    const { lab: { generator } } = this.#options
    await this.#aim()
    const before = await this.#read()
    const trips = await generator.call('roundTrips', { seconds, perSecond })
    const after = await this.#read()
    const echo = { received: after.target.received - before.target.received, echoed: after.target.echoed - before.target.echoed }
    this.ledgers.push(balance(trips.sent, trips.received, { ...dropsSince(before.drops, after.drops), 'client sockets': trips.drops, 'echo could not send': echo.received - echo.echoed }))
    const { p50Us, p99Us, p999Us } = trips
    return {
      p50Us,
      p99Us,
      p999Us,
      ...this.#cpu(after.cpuMicros - before.cpuMicros, trips.received, trips.seconds),
      perSecond: trips.sent / trips.seconds,
      lostPercent: (1 - trips.received / trips.sent) * 100
    }
  }

  // The direct path has no process whose time could be taken.
  #cpu (micros: number, datagrams: number, seconds: number): Figures {
    return this.forwarder.pids().length === 0 ? {} : { cpuMicros: micros / datagrams, busyPercent: micros / seconds / 1e4 }
  }

  async #probe (seconds: number, perSecond: number): Promise<{ perSecond: number, hasPassed: boolean, isLimited: boolean }> {
    const { sent, inTime, ...flight } = await this.#fly({ seconds, perSecond })
    return { perSecond: sent / flight.seconds, hasPassed: inTime >= sent * (1 - LOSS), isLimited: sent < perSecond * seconds * BEHIND }
  }

  async #aim (): Promise<void> {
    const { lab: { generator }, clients, bytes } = this.#options
    await generator.call('open', { clients, bytes })
    await generator.call('aim', { destinations: this.forwarder.entrances })
  }

  async #fly (sending: Sending): Promise<Flight> {
    await this.#aim()
    const before = await this.#read()
    const startMs = performance.timeOrigin + performance.now()
    const { sent, seconds } = await this.#options.lab.generator.call('send', sending)
    const { received } = await this.#options.target.helper.call('counts', undefined)
    const { after, ledger } = await this.#settle(before, sent)
    this.ledgers.push(ledger)
    return {
      sent,
      seconds,
      received: ledger.received,
      elapsed: Math.max(seconds, (after.target.lastAtMs - startMs) / 1000),
      cpuMicros: after.cpuMicros - before.cpuMicros,
      forwarded: ledger.received + after.target.drops - before.target.drops,
      inTime: received - before.target.received
    }
  }

  /** Waits until everything that was sent has arrived or been counted, or nothing more comes. */
  async #settle (before: Reading, sent: number): Promise<{ after: Reading, ledger: Ledger }> {
    let ledger: Ledger | undefined
    for (let quietMs = 0; ; quietMs += POLL_MS) {
      const after = await this.#read()
      const next = balance(sent, after.target.received - before.target.received, dropsSince(before.drops, after.drops))
      if (next.missing !== ledger?.missing) quietMs = 0
      ledger = next
      if (ledger.missing === 0 || quietMs >= QUIET_MS) return { after, ledger }
      await sleep(POLL_MS)
    }
  }

  async #read (): Promise<Reading> {
    const pids = this.forwarder.pids()
    const target = await this.#options.target.helper.call('counts', undefined)
    const drops = { ...await this.forwarder.drops(), 'forwarder\'s sockets': socketDrops(pids), 'target\'s socket': target.drops }
    return { cpuMicros: cpuMicros(pids), target, drops }
  }
}
