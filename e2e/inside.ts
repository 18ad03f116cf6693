// Checks that run in another process, in a network of their own: there they are said as lines of JSON, here they are read.
import { join } from 'node:path'
import { patiently } from '#testkit/patience.js'
import { startChild } from '#testkit/processes/child.js'
import { root } from '#testkit/processes/node-program.js'
import { CHECK_MS, now, type Checks } from './checks.js'
import { pathOf } from './checks.js'

type Line =
  | { readonly check: string, readonly ms: number, readonly fault?: string }
  | { readonly note: string }
  | { readonly skipped: string, readonly reason: string }

/** There: runs one check; a rejection is its failure, and the checks go on. Returns whether it passed. */
export async function check (name: string, body: () => Promise<void>): Promise<boolean> {
  const startedMs = now()
  const fault = await patiently(body(), 'the end of this check', CHECK_MS).then(() => undefined, String)
  say({ check: name, ms: now() - startedMs, ...fault === undefined ? {} : { fault } })
  return fault === undefined
}

/** There: a figure that was measured; counts as nothing. */
export function note (text: string): void {
  say({ note: text })
}

/** There: this is not checked, and why. */
export function skip (name: string, reason: string): void {
  say({ skipped: name, reason })
}

/**
 * Here: runs a program of these checks in a network of its own, and takes over what it says as it says it.
 * @param script relative to e2e
 */
export async function runInside (checks: Checks, script: string, args: readonly string[] = []): Promise<void> {
  let begun = ''
  let stderr = ''
  const child = startChild(script, pathOf('unshare'), ['--net', process.execPath, join(root, 'dist/e2e', script), ...args], {
    stdout: text => {
      const lines = (begun + text).split('\n')
      begun = lines.pop()!
      for (const line of lines) take(checks, JSON.parse(line) as Line)
    },
    stderr: text => { stderr += text }
  })
  const code = await child.ended
  await checks.check('all of it was run', () => code === 0 ? Promise.resolve() : Promise.reject(new Error(`it ended with ${code}: ${stderr}`)))
}

function take (checks: Checks, line: Line): void {
  if ('check' in line) checks.record(line.check, line.ms, line.fault)
  else if ('note' in line) checks.note(line.note)
  else checks.skip(line.skipped, line.reason)
}

function say (line: Line): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
