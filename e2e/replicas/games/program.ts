// A game that is a program of its own, as server or as client, and the lines it says, with their times.
import { until } from '#testkit/patience.js'
import { startChild } from '#testkit/processes/child.js'
import { endsWithUs } from '../../namespaces.js'
import { nowMs } from '../time.js'

export interface Said {
  readonly text: string
  readonly atMs: number
}

export interface Program {
  readonly said: readonly Said[]
  /** How often it has said this. */
  readonly count: (text: string) => number
  /** Resolves when it holds; rejects if the program has ended. */
  readonly until: (holds: () => boolean, what: string) => Promise<void>
  readonly close: () => Promise<void>
}

export function startProgram (what: string, words: readonly string[]): Program {
  const said: Said[] = []
  let begun = ''
  const [command, ...args] = [...endsWithUs, ...words] as [string, ...string[]]
  const child = startChild(what, command, args, {
    stdout: text => {
      const lines = (begun + text).split('\n')
      begun = lines.pop()!
      for (const line of lines) said.push({ text: line, atMs: nowMs() })
    }
  })
  return {
    said,
    count: text => said.filter(line => line.text.startsWith(text)).length,
    until: async (holds, condition) => {
      await until(() => {
        if (!child.isRunning()) throw new Error(`${what} has ended: ${child.output()}`)
        return holds()
      }, { what: () => `${what}: ${condition}\n${child.output()}` })
    },
    close: async () => {
      child.kill('SIGKILL')
      await child.ended
    }
  }
}
