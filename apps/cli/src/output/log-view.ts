// What the processes say, as it reaches the reader: JSON lines for a program, a readable form on a terminal. While it is
// closed it keeps lines back, so that an introduction can be read before the log begins.
import { parseLogLine } from '#telemetry/log-lines/log-line.js'
import { renderLogLine } from '#telemetry/log-lines/render-log-line.js'
import type { OutputLine } from '../runtime/child.js'
import type { Runtime } from '../runtime/runtime.js'

/** Lines kept back while closed; older ones are forgotten. */
const MAX_HELD_LINES = 200

type Out = Pick<Runtime, 'out' | 'err' | 'isTerminal' | 'style' | 'columns'>

export class LogView {
  readonly #runtime: Out
  #held: OutputLine[] | undefined = []

  constructor (runtime: Out) {
    this.#runtime = runtime
  }

  /** Shows a line, or keeps it back while closed. */
  readonly take = (line: OutputLine): Promise<void> | undefined => {
    if (this.#held === undefined) return this.#show(line)
    this.#held.push(line)
    if (this.#held.length > MAX_HELD_LINES) this.#held.shift()
    return undefined
  }

  /** Shows lines from now on; of those kept back, all to a program, and to a person what is out of the ordinary. */
  open (): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const line of held) if (!this.#runtime.isTerminal || isUnusual(line)) void this.#show(line)
  }

  /** What was kept back, for a person. Call it when something went wrong. */
  heldText (): string {
    return (this.#held ?? []).map(({ text }) => `${this.#render(text)}\n`).join('')
  }

  #show ({ stream, text }: OutputLine): Promise<void> | undefined {
    if (stream === 'stdout') return this.#runtime.out(`${this.#runtime.isTerminal ? this.#render(text) : text}\n`)
    this.#runtime.err(`${text}\n`)
    return undefined
  }

  #render (text: string): string {
    const line = parseLogLine(text)
    return line === undefined ? text : renderLogLine(line, this.#runtime.style, this.#runtime.columns?.())
  }
}

function isUnusual ({ text }: OutputLine): boolean {
  const line = parseLogLine(text)
  return line === undefined || ['warn', 'error', 'fatal'].includes(line.level)
}
