// What the YAML parser says, in words for whoever wrote the file: where to look, and what is probably meant. After a slip in
// the syntax the parser stumbles from line to line, so only the first fault is told.
// Codes: https://eemeli.org/yaml/#errors
import type { ErrorCode, LineCounter, YAMLError } from 'yaml'
import type { ConfigFault } from '../fault.js'

const MAX_FAULTS = 10

/** After these the parser knows where it is: what it says later is a fault of its own. */
const harmless: ReadonlySet<ErrorCode> = new Set(['BAD_ALIAS', 'BAD_DQ_ESCAPE', 'DUPLICATE_KEY', 'KEY_OVER_1024_CHARS', 'MULTIPLE_ANCHORS', 'MULTIPLE_TAGS', 'NON_STRING_KEY', 'TAG_RESOLVE_FAILED'])

/** Sentences that continue "line 3, column 5:"; the others are the parser's own. */
const sentences: Partial<Record<ErrorCode, string>> = {
  BAD_INDENT: 'is not indented like the lines it belongs to.',
  BLOCK_AS_IMPLICIT_KEY: 'starts a map or a list where a value is expected: look at the indentation, and put text with a colon in quotes.',
  DUPLICATE_KEY: 'a key that is there already.',
  MULTILINE_IMPLICIT_KEY: 'does not fit what is before it: look at the indentation, and for a colon that is missing.',
  TAB_AS_INDENT: 'is indented with a tab: YAML takes spaces only.',
  UNEXPECTED_TOKEN: 'does not fit what is before it: look at the indentation, and for a bracket, a quote or a colon that is missing or too much.'
}

const missing: ReadonlyArray<readonly [says: RegExp, sentence: string]> = [
  [/must be .*indented and end with a (.)$/, 'a $1 is missing before this.'],
  [/^Implicit map keys need/, 'a colon and a value are missing after this.'],
  [/^Missing closing (.)quote$/, 'a closing $1 is missing before this.']
]

/** The faults of a document, those up to the first one that misleads the parser. */
export function yamlFaults (problems: readonly YAMLError[], lineCounter: LineCounter): readonly ConfigFault[] {
  const inOrder = [...problems].sort((one, other) => one.pos[0] - other.pos[0])
  const misleading = inOrder.findIndex(({ code }) => !harmless.has(code))
  const told = misleading === -1 ? inOrder : inOrder.slice(0, misleading + 1)
  return told.slice(0, MAX_FAULTS).map(problem => faultOf(problem, lineCounter))
}

function faultOf (problem: YAMLError, lineCounter: LineCounter): ConfigFault {
  const { line, col } = lineCounter.linePos(problem.pos[0])
  return { path: `line ${line}, column ${col}`, message: sentenceFor(problem) }
}

function sentenceFor ({ code, message }: YAMLError): string {
  const [said = ''] = message.split('\n')
  for (const [says, sentence] of missing) {
    const match = says.exec(said)
    if (match !== null) return sentence.replace('$1', match[1] ?? '')
  }
  return sentences[code] ?? (/[.!?]$/.test(said) ? said : `${said}.`)
}
