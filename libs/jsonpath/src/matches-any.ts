// How the nodes of a path compare with the texts of a status query.

/**
 * True if any node equals any expected text. Strings compare exactly; numbers and booleans by their JSON text, so `0`
 * equals "0" and `true` equals "true"; null, objects and arrays equal nothing.
 */
export function matchesAny (nodes: readonly unknown[], expected: readonly string[]): boolean {
  return nodes.some(node => {
    const text = textOf(node)
    return text !== undefined && expected.includes(text)
  })
}

/** What a node compares as; undefined if it equals nothing. */
export function textOf (node: unknown): string | undefined {
  if (typeof node === 'string') return node
  return typeof node === 'number' || typeof node === 'boolean' ? String(node) : undefined
}
