// Several lists of objects, each in the order of names, as one.
import type { KubeObject } from './inventory.js'

/** The objects of all lists in the order of their names, each once, one by one as they are asked for. */
export function merged (lists: ReadonlyArray<readonly KubeObject[]>): Iterable<KubeObject> {
  const [only, ...others] = lists
  return only !== undefined && others.length === 0 ? only : mergedOf(lists)
}

function * mergedOf (lists: ReadonlyArray<readonly KubeObject[]>): Iterable<KubeObject> {
  const places = lists.map(() => 0)
  for (;;) {
    let next: KubeObject | undefined
    for (const [index, list] of lists.entries()) {
      const head = list[places[index]!]
      if (head !== undefined && (next === undefined || head.metadata.name < next.metadata.name)) next = head
    }
    if (next === undefined) return
    for (const [index, list] of lists.entries()) if (list[places[index]!] === next) places[index]!++
    yield next
  }
}
