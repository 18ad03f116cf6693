// `control` and `proxy`: one process, as if it had been started directly.
import { constants } from 'node:os'
import { ExitCode } from '#core/exit-code.js'
import type { ProcessInvocation } from '../command-line/parse-command-line.js'
import { processSpec } from '../processes/director.js'
import type { ProcessEnd } from '../runtime/child.js'
import type { Runtime } from '../runtime/runtime.js'

/** Runs the process on our own stdout and stderr; passes signals on and its exit code back. */
export async function runOne (name: 'control' | 'proxy', { config }: Pick<ProcessInvocation, 'config'>, { spawn, onSignal, atExit, hasTerminal }: Pick<Runtime, 'spawn' | 'onSignal' | 'atExit' | 'hasTerminal'>): Promise<number> {
  return await new Promise(resolve => {
    const child = spawn(processSpec(name, config === undefined ? {} : { configPath: config }), { end: end => { resolve(exitCodeFrom(end)) } })
    // The child cannot see the whole terminal: we hold its stdin.
    onSignal(signal => { child.signal(signal === 'SIGHUP' && hasTerminal ? 'SIGTERM' : signal) })
    atExit(() => { child.signal('SIGKILL') })
  })
}

/** As shells have it: 128 and the signal's number for a process that a signal ended. */
export function exitCodeFrom ({ code, signal }: ProcessEnd): number {
  if (code !== null) return code
  return signal === null ? ExitCode.bug : 128 + constants.signals[signal]
}
