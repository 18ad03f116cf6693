// Faults of a shard's sockets: all are counted, and of each kind a few are told. With no descriptor or local port left
// every datagram that needs a socket is such a fault, and after a restart every session whose port somebody else has by now.
import type { Clock } from '#core/clock.js'
import { Budget } from '../../core/ledger/budget.js'
import type { LeftOut } from './left-out.js'
import type { ShardVoice } from './shard-voice.js'

const SENTENCE = 'Socket error'

export interface SocketFaultsDeps {
  readonly voice: Pick<ShardVoice, 'log'>
  readonly clock: Pick<Clock, 'now'>
  /** Of each kind. */
  readonly linesPerSecond: number
}

export class SocketFaults {
  readonly #deps: SocketFaultsDeps
  // By the system's code, of which there are some hundred.
  readonly #kinds = new Map<string, Budget>()
  /** Faults so far. */
  total = 0

  constructor (deps: SocketFaultsDeps) {
    this.#deps = deps
  }

  /** Log lines left out so far. */
  get suppressed (): number {
    return [...this.#kinds.values()].reduce((sum, { suppressed }) => sum + suppressed, 0)
  }

  * takeLeftOut (): Iterable<LeftOut> {
    for (const [cause, budget] of this.#kinds) yield { level: 'warn', sentence: SENTENCE, cause, leftOut: budget.takeLeftOut() }
  }

  readonly report = (error: NodeJS.ErrnoException): void => {
    const { voice, clock, linesPerSecond } = this.#deps
    this.total++
    const code = error.code ?? 'UNKNOWN'
    let budget = this.#kinds.get(code)
    if (budget === undefined) this.#kinds.set(code, budget = new Budget(linesPerSecond))
    if (!budget.allows(clock.now())) return
    // No stack: it is the same every time, and says nothing that the code does not.
    voice.log('warn', { code, fault: error.message }, SENTENCE)
  }
}
