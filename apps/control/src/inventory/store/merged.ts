// Several lists of entries, each in the order of names, as one.
import type { Entry } from './entry-list.js'

/** The entries of all lists in the order of their names, each once, one by one as they are asked for. */
export function merged (lists: ReadonlyArray<readonly Entry[]>): Iterable<Entry> {
  const [only, ...others] = lists
  return only !== undefined && others.length === 0 ? only : mergedOf(lists)
}

function * mergedOf (lists: ReadonlyArray<readonly Entry[]>): Iterable<Entry> {
  const places = lists.map(() => 0)
  for (;;) {
    let next: Entry | undefined
    for (const [index, list] of lists.entries()) {
      const head = list[places[index]!]
      if (head !== undefined && (next === undefined || head.name < next.name)) next = head
    }
    if (next === undefined) return
    for (const [index, list] of lists.entries()) if (list[places[index]!] === next) places[index]!++
    yield next
  }
}
