// Processes that the checks start: their output is kept for the report of a failure, and every one is ended by its id.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { PATIENCE_MS } from '#testkit/patience.js'

// Longer than a director allows its own children.
const END_MS = PATIENCE_MS
/** How long a program may run: one that fetches and compiles a generator, beside other work, is done by then. */
export const RUN_MS = 5 * PATIENCE_MS
const KEPT_CHARACTERS = 4000

export interface Child {
  readonly name: string
  /** Undefined if it could not be started. */
  readonly pid: number | undefined
  /** The end of what it wrote, stdout and stderr together. */
  readonly output: () => string
  readonly isRunning: () => boolean
  /** SIGTERM, and SIGKILL if that is not enough. */
  readonly end: () => Promise<void>
}

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** We hold its stdin, for a process that ends when that does. */
  readonly isHeld?: boolean
}

const running = new Set<ChildProcess>()

// The last resort, when the checks themselves fall over: nothing here may outlive them. Not SIGKILL, which would keep a
// director from ending its own children.
process.on('exit', () => { for (const child of running) child.kill('SIGTERM') })

function launch (command: string, args: readonly string[], { env, cwd, isHeld = false }: RunOptions): ChildProcess {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: [isHeld ? 'pipe' : 'ignore', 'pipe', 'pipe'] })
  running.add(child)
  child.once('close', () => { running.delete(child) })
  return child
}

/** Starts a process that stays. */
export function start (name: string, command: string, args: readonly string[], options: RunOptions = {}): Child {
  const child = launch(command, args, options)
  let output = ''
  const keep = (chunk: string): void => { output = (output + chunk).slice(-KEPT_CHARACTERS) }
  child.stdout?.setEncoding('utf8').on('data', keep)
  child.stderr?.setEncoding('utf8').on('data', keep)
  child.once('error', error => { keep(`${error.message}\n`) })
  return { name, pid: child.pid, output: () => output, isRunning: () => running.has(child), end: async () => { await end(child) } }
}

/** Runs a program to its end and returns what it wrote. Rejects when it cannot be started or takes too long. */
export async function run (command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const child = launch(command, args, options)
  let stdout = ''
  let stderr = ''
  let isLate = false
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => { stdout += chunk })
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => { stderr += chunk })
  // eslint-disable-next-line no-restricted-syntax -- the limit of a program
  const timer = setTimeout(() => {
    isLate = true
    child.kill('SIGKILL')
  }, RUN_MS)
  try {
    const [code] = await once(child, 'close') as [number | null]
    if (isLate) throw new Error(`${command} was not done after ${RUN_MS / 1000} s; it wrote: ${stdout}${stderr}`)
    return { code, stdout, stderr }
  } finally {
    clearTimeout(timer)
  }
}

/** Ends every process that is still there. */
export async function endAll (): Promise<void> {
  await Promise.all([...running].map(end))
}

async function end (child: ChildProcess): Promise<void> {
  if (!running.has(child)) return
  const closed = once(child, 'close')
  // eslint-disable-next-line no-restricted-syntax -- the limit of an end
  const timer = setTimeout(() => child.kill('SIGKILL'), END_MS)
  child.kill('SIGTERM')
  await closed
  clearTimeout(timer)
}
