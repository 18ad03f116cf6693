// Starts real processes. Each becomes the leader of its own session: Ctrl-C on the terminal then reaches only us, and
// children are told once, in order, instead of all at once by the terminal and again by us. We hold their stdin, so that
// they end with us even if we are killed.
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { END_WITH_PARENT } from '#telemetry/end-with-parent.js'
import type { Child, ChildListeners, OnLine, OutputLine, ProcessEnd, ProcessSpec } from '../runtime/child.js'

/** Starts `spec` with Node. Never throws: what cannot be started says so on its stderr and ends at once. */
export function spawnChild (spec: ProcessSpec, { line, end }: ChildListeners): Child {
  const output = line === undefined ? 'inherit' : 'pipe'
  const child = spawn(process.execPath, [spec.script, END_WITH_PARENT], { env: spec.env, stdio: ['pipe', output, output], detached: true })
  // EPIPE or ECONNRESET: it has ended, which it says in another way.
  child.stdin?.on('error', () => {})
  void follow(child, line).then(end)
  return { pid: child.pid, signal: signal => { child.kill(signal) } }
}

async function follow (child: ChildProcess, onLine: OnLine | undefined): Promise<ProcessEnd> {
  const ended = endOf(child)
  if (onLine !== undefined) {
    const read = async (from: Readable | null, stream: OutputLine['stream']): Promise<void> => {
      if (from !== null) for await (const text of createInterface({ input: from, crlfDelay: Infinity })) await onLine({ stream, text })
    }
    await Promise.all([read(child.stdout, 'stdout'), read(child.stderr, 'stderr')])
  }
  const { failure, ...end } = await ended
  if (failure !== undefined) await onLine?.({ stream: 'stderr', text: `Cannot be started: ${failure.message}` })
  return end
}

async function endOf (child: ChildProcess): Promise<ProcessEnd & { failure?: Error }> {
  return await new Promise(resolve => {
    child.once('exit', (code, signal) => { resolve({ code, signal }) })
    // Also emitted when a signal could not be sent; then the child has a pid and an end of its own.
    child.on('error', failure => { if (child.pid === undefined) resolve({ code: null, signal: null, failure }) })
  })
}
