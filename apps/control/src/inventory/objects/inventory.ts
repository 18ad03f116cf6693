// What an inventory is, whoever provides it: Kubernetes objects in memory, in one shape, answered without waiting.
import type { CompiledPath } from '#jsonpath/path.js'
import type { Work } from '#jsonpath/work.js'

/** A Kubernetes object as JSON. Only the parts every kind has are named; the rest is reached by JSONPath. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    readonly uid?: string
    readonly resourceVersion?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly deletionTimestamp?: string
  }
  readonly [field: string]: unknown
}

/** One of `values` at a path, as a status query asks for it. */
export interface StatusMatch {
  readonly path: CompiledPath
  readonly values: readonly string[]
  /** As far as an index tells: without one it is taken to match everything, and whoever asks looks for themselves. */
  readonly isRough?: boolean
  /** What looking at objects is charged to. */
  readonly work?: Work
}

/** What became of one object of a resource type: it came (`after` alone), changed, or went (`before` alone). */
export interface InventoryChange {
  readonly resourceType: string
  readonly namespace: string
  readonly name: string
  readonly before: KubeObject | undefined
  readonly after: KubeObject | undefined
}

export type ChangeListener = (changes: readonly InventoryChange[]) => void

export interface InventoryStatus {
  /** True once every source was read successfully, and for ever after. */
  readonly synced: boolean
  /** Milliseconds since the content was last known to be true. */
  readonly ageMs: number
  /** What is wrong at this moment; the last good content is served meanwhile. */
  readonly faults: readonly string[]
}

export interface Inventory {
  /**
   * The objects of a configured resource type in a namespace that bear all of `labels` and match `status`, in the order
   * of their names. They are looked for one by one as they are asked for: use them up before anything else runs. They end early once `work` is over.
   */
  readonly find: (resourceType: string, namespace: string, labels?: Readonly<Record<string, string>>, status?: StatusMatch, work?: Work) => Iterable<KubeObject>
  /** How many bear all of `labels`. */
  readonly count: (resourceType: string, namespace: string, labels?: Readonly<Record<string, string>>, work?: Work) => number
  readonly get: (resourceType: string, namespace: string, name: string) => KubeObject | undefined
  /** Objects by resource type. */
  readonly sizes: () => ReadonlyMap<string, number>
  /** Namespaces that have objects. */
  readonly namespaces: () => ReadonlySet<string>
  readonly status: () => InventoryStatus
  /** Why queries for a resource type in a namespace cannot be answered now; undefined if they can. Names no object. */
  readonly unready: (resourceType: string, namespace: string) => string | undefined
  /** Calls `listener` after the content changed, with every change since the last call in the order in which they came; returns how to stop that. */
  readonly onChange: (listener: ChangeListener) => () => void
  readonly close: () => Promise<void>
}

/** The part of a pino logger that an inventory uses. */
export interface InventoryLog {
  readonly info: (fields: object, message: string) => void
  readonly warn: (fields: object, message: string) => void
}
