// A log line for a person: when, who, what, and client → target where there is one.
import type { LogLine } from './log-line.js'
import type { Paint, Style } from './style.js'

// `control` is the longest name of a process, `Session established` the message seen most.
const PROCESS_WIDTH = 7
const MESSAGE_WIDTH = 20
/** Below the message: after the time and the process. */
const INDENT = ' '.repeat(23)

interface Part {
  readonly text: string
  readonly paint: Paint
}

const unpainted: Paint = text => text

/**
 * One line without its line end; for an error, its stack follows on further lines. What does not fit into `columns` goes
 * on below the message, whole part by whole part.
 */
export function renderLogLine ({ level, time, process, msg, fields }: LogLine, style: Style, columns = Infinity): string {
  const { err, ...rest } = fields
  const { path, others } = pathOf(rest)
  const details = Object.entries(others)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => ({ text: `${name}=${textOf(value)}`, paint: style.dim }))
  const parts: readonly Part[] = [
    { text: localTime(time), paint: style.dim },
    { text: process.padEnd(PROCESS_WIDTH), paint: style.cyan },
    { text: msg.padEnd(MESSAGE_WIDTH), paint: paintFor(level, style) },
    { text: path, paint: unpainted },
    ...details
  ]
  return [...linesOf(parts.filter(({ text }) => text !== ''), columns), ...stackOf(err)].join('\n')
}

function linesOf (parts: readonly Part[], columns: number): string[] {
  const lines: string[] = []
  let [line, width] = ['', 0]
  for (const { text, paint } of parts) {
    if (width > 0 && width + 2 + text.trimEnd().length > columns) {
      lines.push(line.trimEnd())
      line = INDENT + paint(text)
      width = INDENT.length + text.length
    } else {
      line += `${width > 0 ? '  ' : ''}${paint(text)}`
      width += (width > 0 ? 2 : 0) + text.length
    }
  }
  return [...lines, line.trimEnd()]
}

/** Wall-clock time of the reader, to the millisecond: `14:03:07.251`. */
function localTime (iso: string): string {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return iso
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

// The target is shown by the last part of its key, gameserver/games/arena-1, and by where it is.
function pathOf (fields: LogLine['fields']): { path: string, others: LogLine['fields'] } {
  const { client, target, targetKey, ...others } = fields
  if (typeof client !== 'string') return { path: '', others: fields }
  if (typeof target !== 'string') return { path: client, others: { target, targetKey, ...others } }
  const name = typeof targetKey === 'string' ? targetKey.slice(targetKey.lastIndexOf('/') + 1) : ''
  return { path: `${client} → ${name === '' ? target : `${name} (${target})`}`, others }
}

function paintFor (level: string, style: Style): Paint {
  if (level === 'fatal' || level === 'error') return text => style.red(style.bold(text))
  if (level === 'warn') return style.yellow
  return level === 'info' ? style.bold : style.dim
}

// Quotes what a terminal could take for something else than a word.
function textOf (value: unknown): string {
  if (typeof value === 'string' && /^[\w.:/@+[\]-]+$/.test(value)) return value
  return JSON.stringify(value)
}

function stackOf (error: unknown): string[] {
  if (typeof error !== 'object' || error === null) return []
  const { stack, message } = error as Record<string, unknown>
  const text = typeof stack === 'string' ? stack : typeof message === 'string' ? message : JSON.stringify(error)
  return text.split('\n').map(line => `  ${line}`)
}
