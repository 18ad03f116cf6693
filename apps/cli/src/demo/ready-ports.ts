// Where the processes really listen, read from the lines they log when they do.
import { parseLogLine } from '#telemetry/log-lines/log-line.js'
import type { OutputLine } from '../runtime/child.js'
import type { Ports } from './world.js'

export class ReadyPorts {
  #found: { query?: unknown, admin?: unknown, data?: unknown } = {}

  /** All of them, or undefined while a process has yet to say. */
  get ports (): Ports | undefined {
    const { query, admin, data } = this.#found
    return typeof query === 'number' && typeof admin === 'number' && typeof data === 'number' ? { query, admin, data } : undefined
  }

  read ({ text }: OutputLine): void {
    const line = parseLogLine(text)
    if (line?.msg === 'Control listening') {
      const { queryPort: query, adminPort: admin } = line.fields
      this.#found = { ...this.#found, query, admin }
    } else if (line?.msg === 'Proxy listening') {
      const { dataPorts } = line.fields as { dataPorts?: Record<string, unknown> }
      this.#found = { ...this.#found, data: dataPorts?.['default'] }
    }
  }
}
