// The targets that sessions, tokens and the default endpoint refer to, each kept once and dropped with its last holder;
// and how many sessions every target key has. Objects, not typed arrays: targets are few and change rarely.
import { addressWords, isIPv4Words } from '#wire/address.js'
import { Changes } from '../feed/changes.js'
import { isUnicast } from '#wire/unicast.js'

/** A target as it comes from control: `ports` by data port index, 0 where it has none. */
export interface TargetSpec {
  readonly key: string
  readonly address: string
  readonly ports: readonly number[]
}

/** A target that somebody holds: the table keeps it under its id until the last one lets go. */
export interface HeldTarget extends TargetSpec {
  readonly id: number
  readonly words: Uint32Array
  readonly isIPv4: boolean
}

export type TargetFault = 'INVALID_TARGET' | 'TARGET_TABLE_FULL'

interface Entry {
  readonly target: HeldTarget
  readonly identity: string
  holders: number
}

export class TargetTable {
  readonly #capacity: number
  readonly #entries: (Entry | undefined)[] = []
  readonly #free: number[] = []
  readonly #byIdentity = new Map<string, Entry>()
  readonly #sessions = new Map<string, number>()
  readonly #changed = new Set<string>()
  /** Ids that were given to a target, or taken back. */
  readonly changes: Changes

  constructor (capacity: number) {
    this.#capacity = capacity
    this.changes = new Changes(capacity)
  }

  get size (): number { return this.#byIdentity.size }

  /** Finds or adds the target and holds it. Every hold needs one `release`. */
  hold (spec: TargetSpec): HeldTarget | TargetFault {
    const identity = `${spec.key} ${spec.address} ${spec.ports.join()}`
    const known = this.#byIdentity.get(identity)
    if (known !== undefined) {
      known.holders++
      return known.target
    }
    const words = addressWords(spec.address)
    if (words === undefined || !isUnicast(words) || !spec.ports.some(port => port > 0)) return 'INVALID_TARGET'
    if (this.#byIdentity.size >= this.#capacity) return 'TARGET_TABLE_FULL'
    const id = this.#free.pop() ?? this.#entries.length
    const target: HeldTarget = Object.freeze({ ...spec, id, words, isIPv4: isIPv4Words(words) })
    const entry: Entry = { target, identity, holders: 1 }
    this.#entries[id] = entry
    this.#byIdentity.set(identity, entry)
    this.changes.mark(id)
    return target
  }

  holdId (id: number): void {
    this.#entry(id).holders++
  }

  release (id: number): void {
    const entry = this.#entry(id)
    if (--entry.holders > 0) return
    this.#byIdentity.delete(entry.identity)
    this.#entries[id] = undefined
    this.#free.push(id)
    this.changes.mark(id)
  }

  /** One past the largest id ever used. */
  get highWater (): number { return this.#entries.length }

  /** The target with this id, if the id is held. */
  find (id: number): HeldTarget | undefined {
    return this.#entries[id]?.target
  }

  get (id: number): HeldTarget {
    return this.#entry(id).target
  }

  /** Sessions on all targets with this key. */
  sessionsOf (key: string): number {
    return this.#sessions.get(key) ?? 0
  }

  addSessions (key: string, change: 1 | -1): void {
    const count = this.sessionsOf(key) + change
    if (count === 0) this.#sessions.delete(key)
    else this.#sessions.set(key, count)
    this.#changed.add(key)
  }

  /** Sessions by target key, of every target that has any. */
  sessionCounts (): Record<string, number> {
    return Object.fromEntries(this.#sessions)
  }

  /** Counts that changed since they were last taken, zeros included: `most` of them at most. */
  takeChangedCounts (most = Infinity): Record<string, number> {
    const changed: [string, number][] = []
    for (const key of this.#changed) {
      if (changed.length >= most) break
      this.#changed.delete(key)
      changed.push([key, this.sessionsOf(key)])
    }
    return Object.fromEntries(changed)
  }

  #entry (id: number): Entry {
    const entry = this.#entries[id]
    if (entry === undefined) throw new Error(`target ${id} is not held by anyone`)
    return entry
  }
}
