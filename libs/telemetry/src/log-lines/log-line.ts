// The JSON lines that the director's processes log, as values.

export interface LogLine {
  readonly level: string
  /** ISO 8601, in UTC. */
  readonly time: string
  /** Which process speaks: control, proxy, cli. */
  readonly process: string
  readonly msg: string
  /** Everything else in the line. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** Reads one line; undefined if it is not a log line of ours (a stack trace, a warning of Node). */
export function parseLogLine (text: string): LogLine | undefined {
  if (!text.startsWith('{')) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined // a line that merely starts like one
  }
  const { level, time, process, msg, ...fields } = value as Record<string, unknown>
  const isOurs = typeof level === 'string' && typeof time === 'string' && typeof process === 'string' && typeof msg === 'string'
  return isOurs ? { level, time, process, msg, fields } : undefined
}
