// Paths that callers send, on objects that anybody made.
import fc from 'fast-check'
import { compilePath } from '#jsonpath/compile-path.js'
import { evaluatePath } from '#jsonpath/evaluate-path.js'
import { MAX_NODES } from '#jsonpath/path.js'
import { fuzzTarget, must, type FuzzTarget } from '../fuzz-target.js'

const grammar = fc.array(fc.constantFrom('a', 'b', 'length', '__proto__', '.', '[', ']', '[*]', '.*', '[?(', '@', '*', '\'', '"', '\\', '{', '}', '$', '==', '<', '0', '-1', '1e9', ' ', ')', '\u{1f600}'), { maxLength: 60 }).map(parts => parts.join(''))

/** @param compile what is tried */
export function jsonPath (compile = compilePath): FuzzTarget {
  return fuzzTarget({
    name: 'json-path',
    what: 'texts as paths, on any JSON: a fault within the text, or nodes, few enough and none invented',
    inputs: fc.record({ text: fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), grammar), root: fc.oneof(fc.jsonValue({ maxDepth: 5 }), fc.constant({ a: Array.from({ length: 120 }, () => Array(120).fill({ a: 1 })) })) }),
    testRuns: 300,
    open: () => ({
      check: ({ text, root }) => {
        const compiled = compile(text)
        if (!compiled.ok) {
          must(compiled.error.position >= 0 && compiled.error.position <= text.length, `the fault is at ${compiled.error.position}`)
          return
        }
        const nodes = evaluatePath(compiled.value, root)
        must(nodes.length <= MAX_NODES, `${nodes.length} nodes`)
        const known = JSON.stringify(root)
        for (const node of new Set(nodes)) must(node !== undefined && known.includes(JSON.stringify(node)), 'a node that is not in the object')
      }
    })
  })
}
