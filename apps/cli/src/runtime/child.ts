// A child process as the supervisor sees it. What really starts one is spawn-child.ts; tests hand in their own.

export interface ProcessSpec {
  readonly name: 'control' | 'proxy'
  /** The program, an absolute path. */
  readonly script: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** How a process ended: by `code`, by `signal`, or (both null) it never started. */
export interface ProcessEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface OutputLine {
  readonly stream: 'stdout' | 'stderr'
  /** Without its line end. */
  readonly text: string
}

/** Takes a line; a child that talks faster than these promises settle has to wait. */
export type OnLine = (line: OutputLine) => Promise<void> | undefined

export interface ChildListeners {
  /** Left out: the child writes to our own stdout and stderr. */
  readonly line?: OnLine
  /** Called once, after the last line. */
  readonly end: (end: ProcessEnd) => void
}

export interface Child {
  /** Undefined if it could not be started. */
  readonly pid: number | undefined
  /** Sends a signal; harmless after the end. */
  readonly signal: (signal: NodeJS.Signals) => void
}

export type SpawnChild = (spec: ProcessSpec, listeners: ChildListeners) => Child
