// The chart: a panel of horizontal bars for each of the first experiments of a kind, drawn by hand as SVG.
import { titleOf, type Outcome } from './experiments.js'
import type { Kind } from './plan.js'
import { medianOf } from './report.js'

interface Panel {
  readonly kind: Kind
  readonly figure: string
  readonly title: string
  readonly digits: number
}

interface Bar {
  readonly label: string
  readonly value: number
}

const panels: readonly Panel[] = [
  { kind: 'saturation', figure: 'cpuMicros', title: 'CPU µs per datagram at saturation (less is better)', digits: 1 },
  { kind: 'loss', figure: 'lossFreePerSecond', title: 'datagrams per second without loss (more is better)', digits: 0 },
  { kind: 'latency', figure: 'cpuMicros', title: 'CPU µs per round trip at a light load (less is better)', digits: 1 },
  { kind: 'latency', figure: 'p99Us', title: 'p99 µs of a round trip at a light load (less is better)', digits: 0 }
]

const WIDTH = 720
const LEFT = 90
const RIGHT = 90
const ROW = 24
const HEAD = 44

const colors: Readonly<Record<string, string>> = { batch: '#0b7285', 'batch-any': '#099268', 'batch-2': '#1098ad', dgram: '#66d9e8', direct: '#ced4da', nginx: '#868e96', socat: '#868e96' }

/** An SVG file; experiments that were not run have no panel. */
export function chartOf (outcomes: readonly Outcome[], caption: string): string {
  const parts: string[] = []
  let y = 0
  for (const panel of panels) {
    const outcome = outcomes.find(({ experiment }) => experiment.kind === panel.kind)
    const bars = outcome === undefined ? [] : barsOf(outcome, panel)
    if (outcome === undefined || bars.length === 0) continue
    parts.push(text(12, y + 20, `${panel.title} · ${titleOf(outcome.experiment)}`, 'font-weight="bold"'), ...bars.flatMap((bar, row) => barAt(bar, y + HEAD - 12 + row * ROW, bars, panel.digits)))
    y += HEAD + bars.length * ROW
  }
  parts.push(text(12, y + 16, caption, 'fill="#868e96"'))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 28}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${y + 28}" fill="#ffffff"/>`,
    ...parts,
    '</svg>',
    ''
  ].join('\n')
}

function barsOf ({ measured }: Outcome, { figure }: Panel): readonly Bar[] {
  return measured.map(one => ({ label: one.label, value: medianOf(one, figure) })).filter(({ value }) => Number.isFinite(value) && value > 0)
}

function barAt ({ label, value }: Bar, y: number, bars: readonly Bar[], digits: number): readonly string[] {
  const width = Math.max(1, value / Math.max(...bars.map(({ value }) => value)) * (WIDTH - LEFT - RIGHT))
  return [
    text(LEFT - 8, y + 14, label, 'text-anchor="end"'),
    `<rect x="${LEFT}" y="${y + 2}" width="${width.toFixed(1)}" height="${ROW - 8}" fill="${colors[label] ?? '#868e96'}"/>`,
    text(LEFT + width + 6, y + 14, value.toFixed(digits))
  ]
}

function text (x: number, y: number, content: string, attributes = ''): string {
  const escaped = content.replace(/[&<>]/g, character => `&#${character.charCodeAt(0)};`)
  return `<text x="${x.toFixed(1)}" y="${y}" ${attributes}>${escaped}</text>`
}
