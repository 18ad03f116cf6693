/** How a process of ours ends. The numbers are those of BSD sysexits(3) where one fits. */
export const ExitCode = {
  ok: 0,
  /** A check or a flow that was asked for did not succeed. */
  failed: 1,
  /** Bad command line (EX_USAGE). */
  usage: 64,
  /** A bug: an exception nobody expected (EX_SOFTWARE). */
  bug: 70,
  /** Configuration that cannot work, a taken port included (EX_CONFIG). */
  config: 78
} as const

export type ExitCode = typeof ExitCode[keyof typeof ExitCode]
