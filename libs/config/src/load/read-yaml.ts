// From the text of a YAML file to plain values, or to faults with line and column.
import { LineCounter, parseAllDocuments, type Document } from 'yaml'
import { err, ok, type Result } from '#core/result.js'
import type { ConfigFault } from '../fault.js'
import { severalDocuments } from './other-document.js'
import { yamlFaults } from './yaml-faults.js'

// A configuration is four levels deep. What recurses over it does so without a bound of its own.
const MAX_DEPTH = 50

const tooDeep: ConfigFault = { path: 'the document', message: `is nested deeper than ${MAX_DEPTH} levels.` }

/** Reads one YAML 1.2 document. Duplicate keys and unknown tags are faults; an empty document is an empty map. */
export function readYaml (text: string): Result<unknown, readonly ConfigFault[]> {
  const lineCounter = new LineCounter()
  let documents
  try {
    documents = documentsOf(text, lineCounter)
  } catch (error) {
    // The parser recurses over what is nested.
    if (error instanceof RangeError) return err([tooDeep])
    throw error
  }
  const [document] = documents
  if (document === undefined) return ok({})
  if (documents.length > 1) return err([severalDocuments(document.errors.length > 0 ? undefined : valueOrNothing(document), documents.length)])
  const problems = [...document.errors, ...document.warnings]
  // The parser makes an error of some of what it catches.
  if (problems.some(({ message }) => /call stack/.test(message))) return err([tooDeep])
  if (problems.length > 0) return err(yamlFaults(problems, lineCounter))
  return valueOf(document)
}

function documentsOf (text: string, lineCounter: LineCounter): readonly Document.Parsed[] {
  return parseAllDocuments(text, { lineCounter, prettyErrors: false, stringKeys: true, logLevel: 'error' })
}

function valueOrNothing (document: Document.Parsed): unknown {
  const value = valueOf(document)
  return value.ok ? value.value : undefined
}

function valueOf (document: Document.Parsed): Result<unknown, readonly ConfigFault[]> {
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: 100 }) ?? {}
  } catch (error) {
    if (error instanceof RangeError) return err([tooDeep])
    // An alias without its anchor, or aliases that multiply without end.
    return err([{ path: 'the document', message: `cannot be resolved: ${error instanceof Error ? error.message : String(error)}.` }])
  }
  return isDeep(value) ? err([tooDeep]) : ok(value)
}

// Level by level, not by recursion. An alias inside of what it refers to has no deepest level.
function isDeep (root: unknown): boolean {
  let level: ReadonlySet<unknown> = new Set([root])
  for (let depth = 0; depth <= MAX_DEPTH; depth++) {
    level = new Set([...level].filter(isNest).flatMap((value): unknown[] => Object.values(value)).filter(isNest))
    if (level.size === 0) return false
  }
  return true
}

function isNest (value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
