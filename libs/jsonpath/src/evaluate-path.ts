// From a compiled path and a JSON value to the nodes it selects. Own properties only: an object's prototype is not part
// of its data, and array elements are reached by index alone.
import type { Work } from './work.js'
import { isStep, MAX_NODES, type CompiledPath, type Filter, type Literal, type Operator, type Segment, type Step } from './path.js'

/**
 * The nodes that `path` selects in `root`, in document order (a nodelist, RFC 9535 §2.1.2). Empty if nothing matches.
 * At most MAX_NODES nodes are visited, and charged to `work`; what lies beyond does not match.
 */
export function evaluatePath (path: CompiledPath, root: unknown, work?: Work): unknown[] {
  const walk = new Walk(path.segments)
  walk.visit(root, 0)
  work?.spend(walk.visited)
  return walk.found
}

class Walk {
  readonly found: unknown[] = []
  readonly #segments: readonly Segment[]
  #left = MAX_NODES
  // The steps of filters are not nodes of their own.
  #steps = 0

  constructor (segments: readonly Segment[]) {
    this.#segments = segments
  }

  get visited (): number {
    return MAX_NODES - this.#left + this.#steps
  }

  visit (start: unknown, from: number): void {
    let node = start
    for (let at = from; at < this.#segments.length; at++) {
      if (--this.#left < 0) return
      const segment = this.#segments[at]!
      if (!isStep(segment)) {
        this.#visitChildren(node, segment, at + 1)
        return
      }
      node = childAt(node, segment)
      if (node === undefined) return
    }
    if (--this.#left >= 0) this.found.push(node)
  }

  #visitChildren (node: unknown, segment: Exclude<Segment, Step>, next: number): void {
    if (typeof node !== 'object' || node === null) return
    for (const child of Array.isArray(node) ? node as unknown[] : Object.values(node)) {
      if (this.#left <= 0) return
      if (segment.kind === 'filter') this.#steps += segment.steps.length
      if (segment.kind === 'wildcard' || passes(child, segment)) this.visit(child, next)
      else this.#left--
    }
  }
}

function childAt (node: unknown, step: Step): unknown {
  if (typeof node !== 'object' || node === null) return undefined
  if (Array.isArray(node)) return step.kind === 'index' ? node.at(step.index) : undefined
  return step.kind === 'name' && Object.hasOwn(node, step.name) ? (node as Record<string, unknown>)[step.name] : undefined
}

function passes (child: unknown, { steps, comparison }: Filter): boolean {
  let node = child
  for (const step of steps) node = childAt(node, step)
  return comparison === undefined ? node !== undefined : comparisons[comparison.operator](node, comparison.literal)
}

// RFC 9535 §2.3.5.2.2: values of different types are unequal, and so is a node that is not there (undefined here);
// order is defined between numbers and between strings only.
const comparisons: Readonly<Record<Operator, (node: unknown, literal: Literal) => boolean>> = {
  '==': (node, literal) => node === literal,
  '!=': (node, literal) => node !== literal,
  '<': (node, literal) => isLess(node, literal),
  '<=': (node, literal) => isLess(node, literal) || node === literal,
  '>': (node, literal) => isLess(literal, node),
  '>=': (node, literal) => isLess(literal, node) || node === literal
}

function isLess (left: unknown, right: unknown): boolean {
  return (typeof left === 'number' && typeof right === 'number' && left < right) ||
    (typeof left === 'string' && typeof right === 'string' && left < right)
}
