// kubectl as a child process: a client that nobody here wrote.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Kubectl {
  /** Runs it to its end; rejects with what it printed on an exit code other than 0. */
  readonly run: (...args: string[]) => Promise<string>
  /** Starts it and hands out each line of its output. */
  readonly follow: (args: readonly string[], onLine: (line: string) => void) => ChildProcess
}

/** Whether there is a kubectl on the PATH. */
export async function hasKubectl (): Promise<boolean> {
  try {
    await run('kubectl', ['version', '--client'])
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/** kubectl with a configuration and a cache of its own in `directory`. */
export async function setUpKubectl (directory: string, kubeconfig: string): Promise<Kubectl> {
  const file = join(directory, 'kubeconfig')
  await writeFile(file, kubeconfig)
  const common = ['--kubeconfig', file, '--cache-dir', join(directory, 'cache')]
  return {
    run: async (...args) => (await run('kubectl', [...common, ...args])).stdout,
    follow: (args, onLine) => {
      const child = spawn('kubectl', [...common, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
      createInterface({ input: child.stdout }).on('line', onLine)
      return child
    }
  }
}
