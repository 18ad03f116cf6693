// How many lines the bounds of a shard left out, in the words in which the logger tells it of its own (line-limits.ts of
// #telemetry): one line a second and cause. A flood that nobody is told the size of would look like a few datagrams.
import type { Clock } from '#core/clock.js'
import { dropReasons, tokenReasons, DropReason } from '../../core/ledger/drop-reason.js'
import type { CoreState } from '../../core/datagrams/core-state.js'
import type { ShardVoice } from './shard-voice.js'

/** Lines that were left out since this was last asked. */
export interface LeftOut {
  readonly level: 'debug' | 'info' | 'warn'
  /** What the line says, or what it begins with if there are several for one bound. */
  readonly sentence: string
  readonly cause?: string
  readonly leftOut: number
}

export interface LeftOutSource {
  readonly takeLeftOut: () => Iterable<LeftOut>
}

export interface LeftOutDeps {
  readonly voice: Pick<ShardVoice, 'log'>
  readonly clock: Pick<Clock, 'now'>
  readonly sources: readonly LeftOutSource[]
}

const PERIOD_MS = 1000

export class LeftOutLines {
  readonly #deps: LeftOutDeps
  #toldMs = -Infinity

  constructor (deps: LeftOutDeps) {
    this.#deps = deps
  }

  /** Tells what there is to tell, at most once a second. */
  tell (): void {
    const { voice, clock, sources } = this.#deps
    const now = clock.now()
    if (now - this.#toldMs < PERIOD_MS) return
    this.#toldMs = now
    for (const source of sources) {
      for (const { level, ...fields } of source.takeLeftOut()) if (fields.leftOut > 0) voice.log(level, fields, 'Log lines left out')
    }
  }
}

const refusals = new Set<DropReason>([...tokenReasons, DropReason.tokenMalformed])

/** The lines about datagrams that the core drops, which bounds them itself. */
export function warningsOf (state: Pick<CoreState, 'takeUnwarned'>): LeftOutSource {
  return {
    * takeLeftOut () {
      for (const reason of Object.values(DropReason)) {
        const leftOut = state.takeUnwarned(reason)
        const isToken = refusals.has(reason)
        yield { level: isToken ? 'warn' : 'info', sentence: isToken ? 'Invalid token' : 'Datagram of a client dropped', cause: dropReasons[reason].name, leftOut }
      }
    }
  }
}
