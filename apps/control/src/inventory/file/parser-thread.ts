// The thread that long texts are read in. It sends objects in pieces, each when it is asked for the next, so that the
// process that takes them in does so bit by bit.
import { parentPort } from 'node:worker_threads'
import { parseDocuments, type PlacedObject } from './parse-documents.js'
import { MAX_FILE_BYTES } from './read-path.js'
import type { Position, TextFault } from './read-documents.js'

export interface PieceOfObjects {
  /** A list of objects. */
  readonly json: string
  readonly positions: ReadonlyArray<Position | undefined>
}

export type Answer =
  | { readonly pieces: PieceOfObjects }
  | { readonly faults: readonly TextFault[] }
  | { readonly isDone: true }

export interface Task {
  readonly text: string
  readonly isJson: boolean
}

/** Length of a piece, in UTF-16 code units: about a millisecond. An object is never divided. */
const PIECE_LENGTH = 64 * 1024

/** Longest object, written as JSON. etcd holds none that is longer than 1.5 MiB. */
const MAX_OBJECT_LENGTH = 1536 * 1024

/** What the objects of a file may come to once their aliases are written out. */
const MAX_TOTAL_LENGTH = 2 * MAX_FILE_BYTES

/** The answers to a task, one by one as they are asked for. */
export function * answersTo ({ text, isJson }: Task): Generator<Answer> {
  const parsed = parseDocuments(text, isJson)
  if (!parsed.ok) {
    yield { faults: parsed.error }
    return
  }
  const fault = sizeFault(parsed.value)
  if (fault !== undefined) {
    yield { faults: [fault] }
    return
  }
  let texts: string[] = []
  let positions: Array<Position | undefined> = []
  let length = 0
  for (const { object, position } of parsed.value) {
    const json = JSON.stringify(object)
    texts.push(json)
    positions.push(position)
    length += json.length
    if (length < PIECE_LENGTH) continue
    yield { pieces: { json: `[${texts.join()}]`, positions } }
    texts = []
    positions = []
    length = 0
  }
  yield { pieces: { json: `[${texts.join()}]`, positions } }
  yield { isDone: true }
}

// Before the first piece: of a file with a fault nothing is believed.
function sizeFault (objects: readonly PlacedObject[]): TextFault | undefined {
  let total = 0
  for (const { object, position } of objects) {
    const { length } = JSON.stringify(object)
    total += length
    const message = length > MAX_OBJECT_LENGTH
      ? `an object is longer than ${MAX_OBJECT_LENGTH} characters as JSON; no object of Kubernetes is`
      : total > MAX_TOTAL_LENGTH ? `the objects come to more than ${MAX_TOTAL_LENGTH} characters as JSON` : undefined
    if (message !== undefined) return position === undefined ? { message } : { position, message }
  }
  return undefined
}

let answers: Generator<Answer> | undefined

parentPort?.on('message', (message: Task | 'next') => {
  if (message !== 'next') answers = answersTo(message)
  const answer = answers?.next()
  if (answer?.done === false) parentPort?.postMessage(answer.value)
})
