// From the text of a YAML file to plain values, or to faults with line and column.
import { LineCounter, parseDocument, type Document, type YAMLError } from 'yaml'
import { err, ok, type Result } from '#core/result.js'
import type { ConfigFault } from './fault.js'

/** Reads one YAML 1.2 document. Duplicate keys and unknown tags are faults; an empty document is an empty map. */
export function readYaml (text: string): Result<unknown, readonly ConfigFault[]> {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter, prettyErrors: false, stringKeys: true, logLevel: 'error' })
  const problems = [...document.errors, ...document.warnings]
  if (problems.length > 0) return err(problems.map(problem => faultOf(problem, lineCounter)))
  return valueOf(document)
}

function faultOf ({ message, pos: [offset] }: YAMLError, lineCounter: LineCounter): ConfigFault {
  const { line, col } = lineCounter.linePos(offset)
  const [sentence = ''] = message.split('\n')
  return { path: `line ${line}, column ${col}`, message: /[.!?]$/.test(sentence) ? sentence : `${sentence}.` }
}

function valueOf (document: Document.Parsed): Result<unknown, readonly ConfigFault[]> {
  try {
    return ok(document.toJS({ maxAliasCount: 100 }) ?? {})
  } catch (error) {
    // An alias without its anchor, or aliases that multiply without end.
    return err([{ path: 'the document', message: `cannot be resolved: ${error instanceof Error ? error.message : String(error)}.` }])
  }
}
