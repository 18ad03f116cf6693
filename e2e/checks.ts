// The runner: one line per check with its time, and a closing line that counts them. A suite whose programs are missing
// fails and says how to install them; it never passes silently.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PATIENCE_MS } from '#testkit/patience.js'
import { endAll, RUN_MS } from './children.js'
import { findProgram, installLine, type Program } from './programs.js'

export interface Suite {
  readonly name: string
  /** Programs without which no check of it can run. */
  readonly needs: readonly Program[]
  /** `folder` is empty and gone afterwards, and so is every process that was started. */
  readonly run: (checks: Checks, folder: string) => Promise<void>
}

// More than one program may take (children.ts), so that the wait says first what it was that did not come.
const CHECK_MS = RUN_MS + PATIENCE_MS
const POLL_MS = 50

export class Checks {
  #passed = 0
  #failed = 0
  readonly #missing = new Set<Program>()

  /** Runs one check; a rejection is its failure, and the checks go on. */
  async check (name: string, body: () => Promise<void>): Promise<void> {
    const startedMs = now()
    try {
      await withinTime(body())
      this.#passed++
      write(`ok      ${name}`, startedMs)
    } catch (error) {
      this.#fail(name, startedMs, error)
    }
  }

  /** Says that something cannot be checked on this machine, and why. Counts as nothing. */
  skip (name: string, reason: string): void {
    process.stdout.write(`skipped ${name}: ${reason}\n`)
  }

  async run (suite: Suite): Promise<void> {
    process.stdout.write(`\n${suite.name}\n`)
    const missing = suite.needs.filter(program => findProgram(program) === undefined)
    if (missing.length === 0) {
      await this.#runPresent(suite)
      return
    }
    for (const program of missing) {
      this.#missing.add(program)
      this.#failed++
      process.stdout.write(`FAILED  ${program} is not installed: ${installLine([program])}\n`)
    }
  }

  /** Prints the closing line; true if every check passed. */
  close (): boolean {
    if (this.#missing.size > 0) process.stdout.write(`\nSome programs are missing. Install them and run again:\n  ${installLine([...this.#missing])}\n`)
    process.stdout.write(`\ne2e: ${this.#passed} checks passed, ${this.#failed} failed\n`)
    return this.#failed === 0 && this.#passed > 0
  }

  // What a suite prepares outside of its checks can fail too.
  async #runPresent (suite: Suite): Promise<void> {
    const startedMs = now()
    const folder = mkdtempSync(join(tmpdir(), 'udp-director-e2e-'))
    const remove = (): void => { rmSync(folder, { recursive: true, force: true }) }
    process.once('exit', remove)
    try {
      await suite.run(this, folder)
    } catch (error) {
      this.#fail(`${suite.name}: could not be prepared`, startedMs, error)
    } finally {
      await endAll()
      process.off('exit', remove)
      remove()
    }
  }

  #fail (name: string, startedMs: number, error: unknown): void {
    this.#failed++
    write(`FAILED  ${name}`, startedMs)
    process.stdout.write(indented(error instanceof Error ? error.message : String(error)))
  }
}

/** The path of a program that a suite needs. */
export function pathOf (program: Program): string {
  const path = findProgram(program)
  if (path === undefined) throw new Error(`${program} is not installed: ${installLine([program])}`)
  return path
}

/** Throws with both values unless they are the same text. */
export function same (actual: string, expected: string, what: string): void {
  if (actual !== expected) throw new Error(`${what}\n  expected: ${expected}\n  actual:   ${actual}`)
}

/** Calls `attempt` until it returns a value; throws its last word when it never does. */
export async function eventually<Value> (what: string, attempt: () => Promise<Value | undefined>): Promise<Value> {
  const deadline = now() + PATIENCE_MS
  let lastWord = ''
  while (now() < deadline) {
    try {
      const value = await attempt()
      if (value !== undefined) return value
    } catch (error) {
      lastWord = `: ${String(error)}`
    }
    // eslint-disable-next-line no-restricted-syntax -- between two looks
    await new Promise(resolve => setTimeout(resolve, POLL_MS))
  }
  throw new Error(`${what} never happened${lastWord}`)
}

async function withinTime (work: Promise<void>): Promise<void> {
  let timer
  const late = new Promise<never>((_resolve, reject) => {
    // eslint-disable-next-line no-restricted-syntax -- the limit of a check
    timer = setTimeout(() => { reject(new Error(`not done after ${CHECK_MS / 1000} s`)) }, CHECK_MS)
  })
  try {
    await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

function write (line: string, startedMs: number): void {
  process.stdout.write(`${line} (${(now() - startedMs).toFixed(0)} ms)\n`)
}

function now (): number {
  // eslint-disable-next-line no-restricted-syntax -- for the report, and for the one limit
  return performance.now()
}

function indented (text: string): string {
  return text.split('\n').map(line => `          ${line}\n`).join('')
}
