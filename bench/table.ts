// What both benchmarks print: a table, and the machine it was measured on.
import { arch, cpus, platform } from 'node:os'

/** A table that reads well as it is, and that Markdown reads too; every column is aligned to the right. */
export function markdownTable (titles: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const widths = titles.map((title, column) => Math.max(title.length, ...rows.map(row => row[column]!.length)))
  const lines = [titles, ...rows].map(row => `| ${row.map((cell, column) => cell.padStart(widths[column]!)).join(' | ')} |`)
  lines.splice(1, 0, `|${widths.map(width => `${'-'.repeat(width + 1)}:`).join('|')}|`)
  return lines.join('\n')
}

/** Where and when: without it figures cannot be compared. */
export function machine (now: Date): string {
  const [{ model } = { model: 'unknown processor' }, ...others] = cpus()
  return `${now.toISOString().slice(0, 10)}, Node ${process.versions.node}, ${platform()} ${arch()}, ${1 + others.length} × ${model.trim()}`
}
