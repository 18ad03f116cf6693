// All time comes from here. Code that waits or measures takes a Clock; tests give it one that they move.

/** How long the machine has been running. The same for every process on it; nobody sets it, and sleep counts. */
export interface BootTime {
  /** Names this start of the machine. */
  readonly id: string
  /** Since then, in ms; good to some ten of them. */
  readonly nowMs: number
}

/** Ends a pending call; harmless after it ran. */
export type Cancel = () => void

export interface Clock {
  /** Monotonic milliseconds since an arbitrary start. Never goes back; use it for ages and deadlines. */
  now: () => number
  /** Milliseconds since the Unix epoch. May jump; use it only for what people read. */
  wallNow: () => number
  /** Compares moments across the lives of a process; undefined where the system does not tell. Not for the packet path. */
  boot: () => BootTime | undefined
  /** Calls `run` once, after `delayMs`. A pending call does not keep the process alive. */
  after: (delayMs: number, run: () => void) => Cancel
  /** Calls `run` every `periodMs`. Does not keep the process alive. */
  every: (periodMs: number, run: () => void) => Cancel
}
