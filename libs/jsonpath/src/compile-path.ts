// From the text of a path to its segments. The subset, with every part that kubectl and RFC 9535 share:
//
//   path     {$.status.ports[0].port}   `{}`, `$` and the leading dot are optional; spaces around are ignored
//   segment  .name  ['name']  ["name"]  [3]  [-1]  .*  [*]  [?(@.a.b == 'x')]  [?@.a]
//   name     a backslash escapes punctuation: metadata.labels.agones\.dev/fleet
//   filter   @ and steps, alone (it exists) or with == != < <= > >= and a string, number, true, false or null
//
// Not read: `..`, slices, unions, functions, && and ||, a filter inside a filter. Nothing here evaluates code.
import { err, ok, type Result } from '#core/result.js'
import { MAX_PATH_LENGTH, MAX_SEGMENTS, type CompiledPath, type Filter, type Literal, type Operator, type PathFault, type Segment, type Step } from './path.js'
import { Scanner } from './scanner.js'

// Longer ones first: `<=` must not be read as `<`.
const operators: readonly Operator[] = ['==', '!=', '<=', '>=', '<', '>']

const quotes = '\'"'

// JSON's (RFC 8259 §6).
const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

const indexPattern = /-?\d{1,9}(?!\d)/y

const keywords = new Map<string, Literal>([['true', true], ['false', false], ['null', null]])

/**
 * Compiles a path, or says where its text stops being one. Never throws; takes time proportional to the text, of which
 * at most MAX_PATH_LENGTH characters are read.
 */
export function compilePath (text: string): Result<CompiledPath, PathFault> {
  if (text.length > MAX_PATH_LENGTH) {
    return err({ message: `a path has at most ${MAX_PATH_LENGTH} characters`, position: MAX_PATH_LENGTH })
  }
  const scanner = new Scanner(text)
  const segments: Segment[] = []
  readPath(scanner, segments)
  return scanner.fault === undefined ? ok({ text, segments }) : err(scanner.fault)
}

function readPath (scanner: Scanner, segments: Segment[]): void {
  scanner.skipSpaces()
  const braced = scanner.take('{')
  scanner.skipSpaces()
  const first = scanner.take('$') || scanner.nextIsOneOf('.[') ? undefined : readDotted(scanner)
  if (first !== undefined) segments.push(first)
  readSegments(scanner, segments)
  if (segments.length === 0) scanner.failExpecting('\'.\' or \'[\'')
  if (braced) scanner.expect('}')
  scanner.skipSpaces()
  if (scanner.peek() !== '') scanner.failExpecting('\'.\', \'[\' or the end')
}

function readSegments (scanner: Scanner, segments: Segment[]): void {
  let count = segments.length
  while (scanner.fault === undefined) {
    const start = scanner.at
    const segment = scanner.take('.') ? readDotted(scanner) : scanner.take('[') ? readBracketed(scanner) : undefined
    if (segment === undefined) return
    segments.push(segment)
    count += segment.kind === 'filter' ? 1 + segment.steps.length : 1
    if (count > MAX_SEGMENTS) scanner.fail(`a path has at most ${MAX_SEGMENTS} segments`, start)
  }
}

function readDotted (scanner: Scanner): Segment | undefined {
  return scanner.take('*') ? { kind: 'wildcard' } : readName(scanner)
}

function readName (scanner: Scanner): Step | undefined {
  const name = scanner.takeName()
  return name === undefined ? undefined : { kind: 'name', name }
}

function readBracketed (scanner: Scanner): Segment | undefined {
  scanner.skipSpaces()
  const segment = scanner.take('*')
    ? { kind: 'wildcard' } as const
    : scanner.take('?') ? readFilter(scanner) : readStep(scanner, 'an index, a quoted name, \'*\' or \'?\'')
  return segment !== undefined && scanner.expect(']') ? segment : undefined
}

// What may stand between brackets and selects one child.
function readStep (scanner: Scanner, what: string): Step | undefined {
  if (scanner.nextIsOneOf(quotes)) {
    const name = scanner.takeQuoted()
    return name === undefined ? undefined : { kind: 'name', name }
  }
  const index = scanner.takeMatch(indexPattern)
  if (index !== undefined) return { kind: 'index', index: Number(index) }
  scanner.failExpecting(what)
  return undefined
}

function readFilter (scanner: Scanner): Filter | undefined {
  scanner.skipSpaces()
  const parenthesised = scanner.take('(')
  if (!scanner.expect('@')) return undefined
  const steps = readSteps(scanner)
  const comparison = readComparison(scanner)
  if (scanner.fault !== undefined || (parenthesised && !scanner.expect(')'))) return undefined
  return { kind: 'filter', steps, ...comparison === undefined ? {} : { comparison } }
}

function readSteps (scanner: Scanner): Step[] {
  const steps: Step[] = []
  while (scanner.fault === undefined) {
    const step = scanner.take('.') ? readName(scanner) : scanner.take('[') ? readBracketedStep(scanner) : undefined
    if (step === undefined) break
    steps.push(step)
  }
  return steps
}

function readBracketedStep (scanner: Scanner): Step | undefined {
  scanner.skipSpaces()
  const step = readStep(scanner, 'an index or a quoted name')
  return step !== undefined && scanner.expect(']') ? step : undefined
}

function readComparison (scanner: Scanner): Filter['comparison'] {
  scanner.skipSpaces()
  const operator = operators.find(candidate => scanner.take(candidate))
  if (operator === undefined) return undefined
  scanner.skipSpaces()
  const literal = readLiteral(scanner)
  return literal === undefined ? undefined : { operator, literal }
}

function readLiteral (scanner: Scanner): Literal | undefined {
  if (scanner.nextIsOneOf(quotes)) return scanner.takeQuoted()
  const number = scanner.takeMatch(numberPattern)
  if (number !== undefined) return Number(number)
  for (const [word, value] of keywords) if (scanner.take(word)) return value
  scanner.failExpecting('a string, a number, true, false or null')
  return undefined
}
