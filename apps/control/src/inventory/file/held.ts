// A file that is written slowly and in place may be read half-way, and half of a YAML file is mostly valid YAML. So an object
// that such a file lacks is kept until the file has come to rest. Pure.
import type { Pace } from '#core/pace.js'
import type { Slices } from '#core/slices.js'
import type { KubeObject } from '../objects/inventory.js'
import { isMap } from '../objects/json.js'
import { identityOf } from './parse-documents.js'

/** How long a file written in place must be at rest before what it lacks is gone, in milliseconds. */
export const SETTLED_MS = 10_000

/** An object that its file lacks is kept no longer than this: a file that somebody writes every second never rests. */
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

export interface Reading {
  readonly changedAtMs: number
  readonly nowMs: number
  readonly pace: Pace
}

/** What is still held of `before` now that the file says `lastGood`. */
export function * stillHeld (before: Resting, lastGood: readonly KubeObject[], { changedAtMs, nowMs, pace }: Reading): Slices<readonly Held[]> {
  if (nowMs - changedAtMs >= SETTLED_MS) return []
  const known = new Map(before.held.map(held => [identityOf(held.object), held]))
  for (const object of before.lastGood) {
    const identity = identityOf(object)
    if (!known.has(identity)) known.set(identity, { object, sinceMs: nowMs })
    if (pace.isFull()) yield
  }
  const last = lastGood.at(-1)
  for (const object of lastGood) {
    const identity = identityOf(object)
    const held = known.get(identity)
    const isBegun = held !== undefined && object === last && isBeginningOf(object, held.object) && !isBeginningOf(held.object, object)
    if (!isBegun) known.delete(identity)
    if (pace.isFull()) yield
  }
  return [...known.values()].filter(({ sinceMs }) => nowMs - sinceMs < MAX_HELD_MS)
}

/** When the first of them is to be given up. */
export function heldUntil (held: readonly Held[], changedAtMs: number): number {
  return held.reduce((earliest, { sinceMs }) => Math.min(earliest, sinceMs + MAX_HELD_MS), changedAtMs + SETTLED_MS)
}

// Whether `part` is what a writer who stops in the middle of `whole` may have written: the last object of a file only.
// No object is nested deeper than `freezeJson` allows.
function isBeginningOf (part: unknown, whole: unknown): boolean {
  if (part === null || part === undefined) return true
  if (Array.isArray(part)) return Array.isArray(whole) && part.every((item, index) => index < whole.length && isBeginningOf(item, whole[index]))
  if (isMap(part)) return isMap(whole) && Object.entries(part).every(([key, value]) => Object.hasOwn(whole, key) && isBeginningOf(value, whole[key]))
  return startsWith(textOf(whole), textOf(part))
}

function startsWith (whole: string | undefined, part: string | undefined): boolean {
  return whole !== undefined && part !== undefined && whole.startsWith(part)
}

function textOf (value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}
