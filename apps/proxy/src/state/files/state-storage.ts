// Where state logs are kept: named byte strings that are only appended to. What is appended is there when the call returns,
// or handed to somebody who writes it (ring-storage.ts): then nobody waits for a disk.

/** How often it is looked whether a log is still what was written, in ms. */
export const LOOK_PERIOD_MS = 1000

export interface StateFile {
  /** Bytes that can be appended now; Infinity if there is always room. */
  readonly room: number
  /** Bytes appended so far that are written. */
  readonly written: number
  /** Throws the system's error, ENOSPC above all. Call it only if there is room. */
  readonly append: (bytes: Uint8Array) => void
  /** Waits until there is room for so much, or `timeoutMs`: not for a thread that forwards. */
  readonly waitForRoom: (bytes: number, timeoutMs: number) => void
  /** Throws what has befallen the file meanwhile: it cannot be written, or it is not where it was any more. */
  readonly check: () => void
  readonly close: () => void
}

export interface StateStorage {
  /** Names of all logs there are. */
  readonly list: () => readonly string[]
  readonly read: (name: string) => Uint8Array
  /** Starts an empty log. */
  readonly create: (name: string) => StateFile
  readonly remove: (name: string) => void
  /** Removes every log of this shard, but those of generations before `from`. */
  readonly removeAllOf: (shard: number, from: number) => void
}

/** The name of a log: `<shard>.<generation>`, both in digits. */
export function logName (shard: number, generation: number): string {
  return `${shard}.${generation}`
}

/** Whether a log is one of this shard, of the generation `from` or a later one. */
export function isOf (name: string, shard: number, from: number): boolean {
  return name.startsWith(`${shard}.`) && generationOf(name)! >= from
}

/** The generation in a log's name; undefined if it is not a log's. */
export function generationOf (name: string): number | undefined {
  const match = /^\d{1,3}\.(\d{1,15})$/.exec(name)
  return match === null ? undefined : Number(match[1])
}
