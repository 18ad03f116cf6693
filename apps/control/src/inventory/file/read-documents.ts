// From the text of a file to plain values, and where in the text they stand: YAML of any number of documents, or JSON.
import { LineCounter, parseAllDocuments, type Document } from 'yaml'
import { err, ok, type Result } from '#core/result.js'
import { isMap, type DocumentPath } from '../objects/json.js'

/** Where something stands in a text; line and column count from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

export interface TextFault {
  /** Missing where finding it would take too long. */
  readonly position?: Position
  readonly message: string
}

/** The part of a text that something was read from. */
export interface Place {
  /** Index of the document in the text. */
  readonly document: number
  readonly path: DocumentPath
}

export interface Documents {
  /** Of each document; null for one of nothing but comments. */
  readonly values: readonly unknown[]
  /** Undefined where finding it would take too long. */
  readonly positionOf: (place: Place) => Position | undefined
}

/** Faults reported for one text; what follows the tenth is seldom its own fault. */
export const MAX_FAULTS = 10

/**
 * Longest YAML that is read, in UTF-16 code units. A million take a second and 45 MB on a core of 2024, JSON a hundredth
 * of that: large inventories are better JSON, or many files, of which only those that changed are parsed.
 */
export const MAX_YAML_LENGTH = 4 * 1024 * 1024

// Longest JSON in which positions are found, by reading it once more as YAML.
const MAX_LOCATED_JSON = 1024 * 1024

/** Everything in a text that `isJson` or is YAML; or what is wrong with it, at least one fault. What turns out not to be JSON is read as YAML. */
export function readDocuments (text: string, isJson: boolean): Result<Documents, readonly TextFault[]> {
  const json = isJson ? parseJson(text) : undefined
  if (json?.ok === true) {
    let yaml: Result<Documents, unknown> | undefined
    const positionOf = (place: Place): Position | undefined => {
      if (text.length > MAX_LOCATED_JSON) return undefined
      yaml ??= parseYaml(text)
      return yaml.ok ? yaml.value.positionOf(place) : undefined
    }
    return ok({ values: [json.value], positionOf })
  }
  if (text.length <= MAX_YAML_LENGTH) return parseYaml(text)
  const what = json === undefined ? 'YAML' : `not JSON (${json.error}), and as YAML`
  return err([{ message: `the file is ${what} longer than ${MAX_YAML_LENGTH} characters; ${json === undefined ? 'write it as JSON, or as several files' : 'repair it'}` }])
}

function parseJson (text: string): Result<unknown, string> {
  try {
    return ok(JSON.parse(text) as unknown)
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error))
  }
}

function parseYaml (text: string): Result<Documents, readonly TextFault[]> {
  const lineCounter = new LineCounter()
  const positionAt = (offset: number): Position => {
    const { line, col } = lineCounter.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  let documents: readonly Document.Parsed[]
  try {
    // `merge` for the `<<` keys that Kubernetes' own tools read.
    documents = parseAllDocuments(text, { lineCounter, prettyErrors: false, merge: true, logLevel: 'silent' })
  } catch (error) {
    return err([{ position: { line: 1, column: 1 }, message: sentenceOf(error) }])
  }
  const faults: TextFault[] = []
  const values = documents.map(document => {
    // One a document: an unclosed bracket makes faults of everything after it.
    const error = document.errors[0]
    if (error === undefined) return valueOf(document, message => faults.push({ position: positionAt(document.range[0]), message }))
    faults.push({ position: positionAt(error.pos[0]), message: sentenceOf(error) })
    return undefined
  })
  if (faults.length > 0) return err(faults.slice(0, MAX_FAULTS))
  return ok({ values, positionOf: ({ document, path }) => positionAt(offsetAt(documents[document], path)) })
}

function valueOf (document: Document.Parsed, fail: (message: string) => void): unknown {
  try {
    return document.toJS() as unknown
  } catch (error) {
    fail(sentenceOf(error))
    return undefined
  }
}

// The parser recurses over what is nested, and makes an error of some of what it catches then; it counts aliases.
function sentenceOf (error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  if (/call stack/.test(message)) return 'nested too deep to be read; no Kubernetes object is'
  if (/alias count/.test(message)) return 'one anchor has more than 100 aliases, or aliases stand for aliases that would multiply without end; write out what they stand for, or split the document'
  return message.split('\n', 1)[0]!
}

// Of the part at `path`, or of the nearest part around it that can be found.
function offsetAt (document: Document.Parsed | undefined, path: DocumentPath): number {
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? document?.contents : nodeAt(document, path.slice(0, length))
    if (isMap(node) && Array.isArray(node['range'])) return Number(node['range'][0])
  }
  return 0
}

// `getIn` throws where an alias or a scalar stands in the way, or a key that is not text.
function nodeAt (document: Document.Parsed | undefined, path: DocumentPath): unknown {
  try {
    return document?.getIn(path, true)
  } catch {
    return undefined
  }
}
