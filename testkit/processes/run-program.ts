// Programs that are run to their end.
import { PATIENCE_MS, patiently } from '../patience.js'
import { startChild, type ChildOptions } from './child.js'

/** How long a program may run: one that fetches and compiles a generator, beside other work, is done by then. */
export const RUN_MS = 5 * PATIENCE_MS

export interface Finished {
  /** The exit code, or the signal's name; a negative number if it could not be started. */
  readonly code: number | NodeJS.Signals
  readonly stdout: string
  readonly stderr: string
}

export type RunOptions = Pick<ChildOptions, 'env' | 'cwd'>

/** Runs a program to its end and returns what it wrote. Rejects when it cannot be started or takes too long. */
export async function runProgram (command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  let [stdout, stderr] = ['', '']
  const child = startChild(command, command, args, { ...options, stdout: text => { stdout += text }, stderr: text => { stderr += text } })
  if (Number.isNaN(child.pid)) {
    await child.ended
    throw new Error(child.output())
  }
  const code = await patiently(child.ended, () => `the end of ${command}, which wrote: ${stdout}${stderr}`, RUN_MS).catch(async (error: unknown) => {
    child.kill('SIGKILL')
    await child.ended
    throw error
  })
  return { code, stdout, stderr }
}
