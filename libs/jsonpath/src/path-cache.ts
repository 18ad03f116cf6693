// Paths that come with queries repeat; the cache spares compiling them again, within a bound that callers cannot push.
import type { Result } from '#core/result.js'
import { compilePath } from './compile-path.js'
import type { CompiledPath, PathFault } from './path.js'

/** Paths kept by default. A path and its segments take a few hundred bytes, 10 KiB at the limits. */
export const PATH_CACHE_SIZE = 1000

export interface PathCache {
  /** As `compilePath`; the same text gives the same object while it is kept. */
  readonly compile: (text: string) => Result<CompiledPath, PathFault>
  /** Paths kept now. */
  readonly size: () => number
}

/** A cache of the `capacity` paths that were asked for last. Faults are not kept: they would push good paths out. */
export function createPathCache (capacity = PATH_CACHE_SIZE): PathCache {
  // A Map iterates in the order of insertion, so its first key is the least recently used one.
  const kept = new Map<string, Result<CompiledPath, PathFault>>()
  return {
    compile: text => {
      const compiled = kept.get(text) ?? compilePath(text)
      if (!compiled.ok) return compiled
      kept.delete(text)
      kept.set(text, compiled)
      if (kept.size > capacity) kept.delete(kept.keys().next().value!)
      return compiled
    },
    size: () => kept.size
  }
}
