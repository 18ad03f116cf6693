// A line for what became of each datagram, as far as the bound goes: LOG_LEVEL=trace. It reads what the packet path has
// noted, between two turns.
import type { Clock } from '#core/clock.js'
import { formatAddress, formatEndpoint } from '#wire/address.js'
import { Budget } from '../../core/ledger/budget.js'
import { directionNames } from '../../core/ledger/counters.js'
import { dropReasons, type DropReason } from '../../core/ledger/drop-reason.js'
import { CONSUMED, FORWARD, HELD } from '../../core/datagrams/packet-path.js'
import type { Decision, TraceRing } from '../../core/ledger/trace-ring.js'
import type { ShardVoice } from './shard-voice.js'

export interface TracerDeps {
  readonly ring: TraceRing
  readonly voice: Pick<ShardVoice, 'log'>
  readonly clock: Clock
  readonly linesPerSecond: number
  /** Undefined for the one after the last: replies of strangers belong to none. */
  readonly dataPortName: (index: number) => string | undefined
}

export class Tracer {
  readonly #deps: TracerDeps
  readonly #budget: Budget
  #leftOut = 0
  #toldSecond = 0

  constructor (deps: TracerDeps) {
    this.#deps = deps
    this.#budget = new Budget(deps.linesPerSecond)
  }

  /** Tells what there is to tell, and once a second how much there was beyond the bound. */
  tell (): void {
    const { ring, voice, clock } = this.#deps
    const now = clock.now()
    const notNoted = ring.drain(decision => {
      if (this.#budget.allows(now)) this.#line(decision)
      else this.#leftOut++
    })
    this.#leftOut += notNoted
    const second = Math.floor(now / 1000)
    if (this.#leftOut === 0 || second === this.#toldSecond) return
    voice.log('trace', { leftOut: this.#leftOut }, 'Datagrams without a line')
    this.#leftOut = 0
    this.#toldSecond = second
  }

  #line ({ direction, dataPort, verdict, bytes, sourceWords, sourcePort }: Decision): void {
    const { voice, dataPortName } = this.#deps
    const fields = {
      direction: directionNames[direction],
      dataPort: dataPortName(dataPort) ?? 'none',
      source: formatEndpoint(formatAddress(Uint32Array.from(sourceWords)), sourcePort),
      bytes
    }
    if (verdict === FORWARD) voice.log('trace', fields, 'Datagram forwarded')
    else if (verdict === CONSUMED) voice.log('trace', fields, 'Datagram consumed')
    else if (verdict === HELD) voice.log('trace', fields, 'Datagram held')
    else voice.log('trace', { ...fields, reason: dropReasons[verdict as DropReason].name }, 'Datagram dropped')
  }
}
