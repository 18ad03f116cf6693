/** How a process of ours ends. The numbers are those of BSD sysexits(3) where one fits. */
export const ExitCode = {
  ok: 0,
  /** A check or a flow that was asked for did not succeed. */
  failed: 1,
  /** `query`: nothing to be had that fits. */
  noMatch: 3,
  /** Bad command line (EX_USAGE). */
  usage: 64,
  /** `query`: no director there, or it did not answer in time (EX_UNAVAILABLE). */
  unreachable: 69,
  /** A bug: an exception nobody expected (EX_SOFTWARE). */
  bug: 70,
  /** `query`: refused for now (EX_TEMPFAIL). */
  notNow: 75,
  /** `query`: refused for good (EX_NOPERM). */
  refused: 77,
  /** Configuration that cannot work, a taken port included (EX_CONFIG). */
  config: 78
} as const

export type ExitCode = typeof ExitCode[keyof typeof ExitCode]
