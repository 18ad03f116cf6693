// Which values objects have at the paths that status queries ask for most, as marks of an index.
import { compilePath } from '#jsonpath/compile-path.js'
import { evaluatePath } from '#jsonpath/evaluate-path.js'
import { matchesAny, textOf } from '#jsonpath/matches-any.js'
import type { CompiledPath } from '#jsonpath/path.js'
import type { KubeObject, StatusMatch } from '../objects/inventory.js'

/** What objects are listed under: a label by its name, or the number of an indexed path, and the value there. */
export type Mark = readonly [facet: string | number, value: string]

export class PathIndex {
  readonly #paths: readonly CompiledPath[]
  readonly #numbers: ReadonlyMap<string, number>

  /** Throws on a path that does not parse, which the configuration has checked. */
  constructor (texts: readonly string[]) {
    this.#paths = texts.map(text => {
      const path = compilePath(text)
      if (!path.ok) throw new Error(`${JSON.stringify(text)} is not a JSONPath: ${path.error.message}`)
      return path.value
    })
    this.#numbers = new Map(this.#paths.map((path, number) => [meaningOf(path), number]))
  }

  /** What `object` has to be found by. */
  marksOf (object: KubeObject): Mark[] {
    return this.#paths.flatMap((path, number) => evaluatePath(path, object).flatMap((node): Mark[] => {
      const text = textOf(node)
      return text === undefined ? [] : [[number, text]]
    }))
  }

  /** The marks of which a match has one at least; undefined if the path is not indexed. */
  marksFor ({ path, values }: StatusMatch): readonly Mark[] | undefined {
    const number = this.#numbers.get(meaningOf(path))
    return number === undefined ? undefined : [...new Set(values)].map(value => [number, value])
  }
}

/** True if the object has one of the values at the path. */
export function matchesStatus (object: KubeObject, { path, values, work }: StatusMatch): boolean {
  const nodes = evaluatePath(path, object, work)
  // Each node is compared with each value.
  work?.spend(nodes.length * values.length >>> 4)
  return matchesAny(nodes, values)
}

const meanings = new WeakMap<CompiledPath, string>()

// `{.status.state}` and `status.state` are one path. Compiled paths are kept by whoever compiles them, so once is enough.
function meaningOf (path: CompiledPath): string {
  const known = meanings.get(path) ?? JSON.stringify(path.segments)
  meanings.set(path, known)
  return known
}
