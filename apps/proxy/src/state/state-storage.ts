// Where state logs are kept: named byte strings that are only appended to. Calls are synchronous: what they are for must not
// happen before they have.

export interface StateFile {
  /** Throws the system's error, ENOSPC above all. */
  readonly append: (bytes: Uint8Array) => void
  readonly close: () => void
}

export interface StateStorage {
  /** Names of all logs there are. */
  readonly list: () => readonly string[]
  readonly read: (name: string) => Uint8Array
  /** Starts an empty log. */
  readonly create: (name: string) => StateFile
  readonly remove: (name: string) => void
  /** Takes a log out of the way, for people to look at; at most one is kept for each shard. */
  readonly setAside: (name: string) => void
}

/** The name of a log: `<shard>.<generation>`, both in digits. */
export function logName (shard: number, generation: number): string {
  return `${shard}.${generation}`
}

/** The generation in a log's name; undefined if it is no log's. */
export function generationOf (name: string): number | undefined {
  const match = /^\d{1,3}\.(\d{1,15})$/.exec(name)
  return match === null ? undefined : Number(match[1])
}
