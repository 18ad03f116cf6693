// The one place where processes are started for tests, checks and benchmarks. Every one is known until it has ended, and
// is ended by its id at the latest when the process that started it ends.
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { ExitCode } from '#core/exit-code.js'
import { patiently } from '../patience.js'

export interface ChildOptions {
  /** What its environment has; default: what ours has. */
  readonly env?: Readonly<NodeJS.ProcessEnv>
  readonly cwd?: string
  /** User and group, by number; only root may choose. */
  readonly uid?: number
  readonly gid?: number
  /**
   * What becomes of its standard streams. `held`: we read what it writes, and hold its stdin, for a process that ends when that
   * does. `channel`: it writes where we write, and there is Node's channel between us. Default: we read what it writes, and it has no stdin.
   */
  readonly streams?: 'held' | 'channel'
  /** Called with what it writes, as it comes. */
  readonly stdout?: (text: string) => void
  readonly stderr?: (text: string) => void
}

export interface Child {
  readonly name: string
  /** Its id. NaN if it could not be started: then it ends at once, and `output` says why. */
  readonly pid: number
  /** The end of what it wrote, stdout and stderr together. */
  readonly output: () => string
  readonly isRunning: () => boolean
  /** Exit code, or the signal's name; a negative number if it could not be started. Everything it wrote has been read. */
  readonly ended: Promise<number | NodeJS.Signals>
  /** Does nothing when it has ended. */
  readonly kill: (signal: NodeJS.Signals) => void
  /** SIGTERM, and SIGKILL if that is not enough; resolves when it has ended. */
  readonly end: () => Promise<void>
  /** For the channel, if it has one. */
  readonly process: ChildProcess
}

const KEPT_CHARACTERS = 8000

const running = new Set<Child>()

// The last resort, when we fall over: nothing may outlive us. Not SIGKILL, which would keep a director from ending
// its own children.
process.on('exit', () => { for (const child of running) child.kill('SIGTERM') })

/** Starts a process; `name` is what messages call it. Never throws: see `pid`. */
export function startChild (name: string, command: string, args: readonly string[], options: ChildOptions = {}): Child {
  const { env = process.env, cwd, uid, gid, streams, stdout, stderr } = options
  const child = spawn(command, args, { env, cwd, uid, gid, stdio: stdioOf(streams) })
  let output = ''
  const keep = (text: string): void => { output = (output + text).slice(-KEPT_CHARACTERS) }
  child.stdin?.on('error', () => undefined) // EPIPE: it has ended
  for (const [stream, listener] of [[child.stdout, stdout], [child.stderr, stderr]] as const) {
    stream?.setEncoding('utf8').on('data', keep)
    if (listener !== undefined) stream?.on('data', listener)
  }
  child.on('error', error => { keep(`${error.message}\n`) })
  const ended = new Promise<number | NodeJS.Signals>(resolve => {
    const end = (how: number | NodeJS.Signals): void => {
      running.delete(started)
      resolve(how)
    }
    // With a channel that we close ourselves `close` never comes, and there is nothing else that could be read.
    child.once(streams === 'channel' ? 'exit' : 'close', (code: number | null, signal: NodeJS.Signals | null) => { end(code ?? signal!) })
    child.once('error', () => { if (child.pid === undefined) end(-1) })
  })
  const started: Child = {
    name,
    pid: child.pid ?? NaN,
    output: () => output,
    isRunning: () => running.has(started),
    ended,
    kill: signal => { child.kill(signal) },
    end: async () => {
      started.kill('SIGTERM')
      await patiently(ended, `the end of ${name}`).catch(async () => {
        started.kill('SIGKILL')
        await ended
      })
    },
    process: child
  }
  running.add(started)
  return started
}

/** Ends every process that is still there. */
export async function endAll (): Promise<void> {
  await Promise.all([...running].map(async child => { await child.end() }))
}

/** For a program of ours that is ended by a signal: it ends what it has started first, and then itself, with 1. */
export function endOnSignal (): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { void endAll().finally(() => process.exit(ExitCode.failed)) })
}

function stdioOf (streams: ChildOptions['streams']): StdioOptions {
  if (streams === 'channel') return ['ignore', 'inherit', 'inherit', 'ipc']
  return [streams === 'held' ? 'pipe' : 'ignore', 'pipe', 'pipe']
}

/** Whether there is a process with this id. */
export function isAlive (pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
