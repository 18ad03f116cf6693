// The core of a shard with its journal. The core tells the journal what happens, and the journal asks the core for names:
// one of them has to come first.
import type { Config } from '#config/schema.js'
import type { Clock } from '#core/clock.js'
import { createCore, type Core } from '../../core/core.js'
import type { CoreOptions } from '../../core/datagrams/options.js'
import { Journal } from '../journal/journal.js'
import type { ShardVoice } from '../journal/shard-voice.js'
import { Tracer } from '../journal/tracer.js'
import { ReplicaWords } from '../calls/replica-words.js'
import { Translator } from '../calls/translate.js'

export interface ShardCore {
  readonly core: Core
  readonly journal: Journal
  readonly translator: Translator
  readonly replicaWords: ReplicaWords
  /** Tells what the options' trace has noted; undefined without one. */
  readonly tracer: Tracer | undefined
}

/** @param onAsked a client waits for the shared store from now on */
export function createShardCore (config: Config, options: CoreOptions, clock: Clock, voice: ShardVoice, onAsked: () => void): ShardCore {
  const translator = new Translator(config.dataPorts.map(({ name }) => name))
  const replicaWords = new ReplicaWords(translator)
  const journal: Journal = new Journal({
    voice,
    clock,
    linesPerSecond: config.limits.sessionLinesPerSecond,
    operations: () => core.operations,
    dataPortName: index => translator.dataPortName(index),
    replicaWords,
    onAsked
  })
  const core: Core = createCore(options, journal)
  const { trace } = options
  const tracer = trace && new Tracer({ ring: trace, voice, clock, linesPerSecond: config.limits.sessionLinesPerSecond, dataPortName: index => config.dataPorts[index]?.name })
  return { core, journal, translator, replicaWords, tracer }
}
