// Reads texts without keeping the process from anything else: what is short in one go, what is long in a thread of its
// own, which has bounds of memory and time, and hands its objects over piece by piece.
import { extname } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { Cancel, Clock } from '#core/clock.js'
import { err, ok } from '#core/result.js'
import type { KubeObject } from '../objects/inventory.js'
import { freezeJson } from '../objects/json.js'
import { parseDocuments, type Parsed, type PlacedObject } from './parse-documents.js'
import type { Answer, PieceOfObjects } from './parser-thread.js'

export interface Parser {
  /** What `parseDocuments` says. One at a time. */
  readonly parse: (text: string, isJson: boolean) => Promise<Parsed>
  readonly close: () => Promise<void>
}

/** Longest text that is read in one go, in UTF-16 code units: some 10 ms of YAML. */
export const SHORT_LENGTH = 8 * 1024

/** Memory of the thread: what the longest YAML takes and a good half more. */
const MAX_HEAP_MB = 320

/** Forty times what the longest YAML takes on a core of 2024 that has nothing else to do. */
const PARSE_LIMIT_MS = 180_000

/** How long a thread without work is kept: files often change several times. */
const IDLE_MS = 10_000

const script = new URL(`./parser-thread${extname(import.meta.filename)}`, import.meta.url)

export interface ParserOptions {
  readonly maxHeapMb?: number
  readonly maxParseMs?: number
}

export function createParser (clock: Clock, { maxHeapMb = MAX_HEAP_MB, maxParseMs = PARSE_LIMIT_MS }: ParserOptions = {}): Parser {
  let worker: Worker | undefined
  let cancelIdle: Cancel | undefined

  const end = async (): Promise<void> => {
    cancelIdle?.()
    const ending = worker
    worker = undefined
    await ending?.terminate()
  }
  const start = (): Worker => new Worker(script, { name: 'inventory parser', resourceLimits: { maxOldGenerationSizeMb: maxHeapMb } })
  const parseInThread = async (text: string, isJson: boolean): Promise<Parsed> => {
    cancelIdle?.()
    worker ??= start()
    const read = await readFrom(worker, { text, isJson }, clock, maxParseMs)
    if (read.isOver) await end()
    else cancelIdle = clock.after(IDLE_MS, () => { void end() })
    return read.parsed
  }
  return {
    parse: async (text, isJson) => {
      if (text.length > SHORT_LENGTH) return await parseInThread(text, isJson)
      // A directory may have thousands of short ones.
      await nextTurn()
      return parseDocuments(text, isJson)
    },
    close: end
  }
}

interface Reading {
  readonly parsed: Parsed
  /** The thread is of no use any more. */
  readonly isOver: boolean
}

async function readFrom (worker: Worker, task: { readonly text: string, readonly isJson: boolean }, clock: Clock, maxParseMs: number): Promise<Reading> {
  return await new Promise(resolve => {
    const objects: PlacedObject[] = []
    const settle = (parsed: Parsed, isOver: boolean): void => {
      cancelLimit()
      worker.unref()
      worker.removeAllListeners()
      // What a thread says that is about to end is of no interest, but would end the process.
      worker.on('error', () => undefined)
      resolve({ parsed, isOver })
    }
    const fail = (message: string): void => { settle(err([{ message }]), true) }
    const cancelLimit = clock.after(maxParseMs, () => { fail(`the file takes longer than ${maxParseMs / 1000} s to be read; write it as JSON, or as several files`) })
    // A reading keeps the process; a thread without work does not.
    worker.ref()
    worker.removeAllListeners()
    worker.on('error', error => { fail(sentenceOf(error)) })
    worker.on('exit', () => { fail('the thread that read the file has ended; change the file to have it read again') })
    worker.on('message', (answer: Answer) => {
      if ('faults' in answer) settle(err(answer.faults), false)
      else if ('pieces' in answer) {
        for (const object of objectsOf(answer.pieces)) objects.push(object)
        // One piece in a turn, however fast the thread is.
        worker.postMessage('next')
      } else settle(ok(objects), false)
    })
    worker.postMessage(task)
  })
}

function sentenceOf (error: Error): string {
  const isMemory = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
  return isMemory ? 'the file takes too much memory to be read; write it as JSON, or as several files' : `the file cannot be read: ${error.message}`
}

function objectsOf ({ json, positions }: PieceOfObjects): readonly PlacedObject[] {
  const values = JSON.parse(json) as KubeObject[]
  return values.map((object, index) => {
    freezeJson(object)
    const position = positions[index]
    return position === undefined ? { object } : { object, position }
  })
}
