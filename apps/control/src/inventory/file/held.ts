// A file that is written in place, and slowly, is read half-way; half of a YAML file is mostly valid YAML. So what such
// a file no longer says is not believed before the file has come to rest. Pure.
import type { KubeObject } from '../inventory.js'
import { isMap } from '../json.js'
import { identityOf } from './parse-documents.js'

/** How long a file written in place must be at rest before what it lacks is gone, in milliseconds. */
export const SETTLED_MS = 10_000

/** Longest that an object is kept which its file lacks; a file that somebody writes every second never rests. */
export const MAX_HELD_MS = 60_000

/** An object that its file said, and says no longer, or only the beginning of. */
export interface Held {
  readonly object: KubeObject
  /** When it was first missed. */
  readonly sinceMs: number
}

export interface Resting {
  /** What the file says now. */
  readonly lastGood: readonly KubeObject[]
  readonly held: readonly Held[]
  /** When the file was last found changed. */
  readonly changedAtMs: number
}

/** What is still held of `before` now that the file says `lastGood`. */
export function stillHeld (before: Resting, lastGood: readonly KubeObject[], changedAtMs: number, nowMs: number): readonly Held[] {
  if (nowMs - changedAtMs >= SETTLED_MS) return []
  const known = new Map(before.held.map(held => [identityOf(held.object), held]))
  for (const object of before.lastGood) {
    const identity = identityOf(object)
    if (!known.has(identity)) known.set(identity, { object, sinceMs: nowMs })
  }
  const said = new Map(lastGood.map(object => [identityOf(object), object]))
  const last = lastGood.at(-1)
  return [...known].flatMap(([identity, held]) => {
    const now = said.get(identity)
    const isBegun = now !== undefined && now === last && isBeginningOf(now, held.object) && !isBeginningOf(held.object, now)
    return (now === undefined || isBegun) && nowMs - held.sinceMs < MAX_HELD_MS ? [held] : []
  })
}

/** When the first of them is to be given up. */
export function heldUntil (held: readonly Held[], changedAtMs: number): number {
  return Math.min(changedAtMs + SETTLED_MS, ...held.map(({ sinceMs }) => sinceMs + MAX_HELD_MS))
}

// Whether `part` is what a writer who stops in the middle of `whole` may have written: the last object of a file only.
function isBeginningOf (part: unknown, whole: unknown): boolean {
  if (part === null || part === undefined) return true
  if (Array.isArray(part)) return Array.isArray(whole) && part.every((item, index) => index < whole.length && isBeginningOf(item, whole[index]))
  if (isMap(part)) return isMap(whole) && Object.entries(part).every(([key, value]) => key in whole && isBeginningOf(value, whole[key]))
  return startsWith(textOf(whole), textOf(part))
}

function startsWith (whole: string | undefined, part: string | undefined): boolean {
  return whole !== undefined && part !== undefined && whole.startsWith(part)
}

function textOf (value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}
