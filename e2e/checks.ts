// The runner: one line per check with its time, and a closing line that counts them. A suite whose programs are missing
// fails and says how to install them; it never passes silently.
import { openFolder } from '#testkit/folder.js'
import { PATIENCE_MS, patiently } from '#testkit/patience.js'
import { endAll } from '#testkit/processes/child.js'
import { RUN_MS } from '#testkit/processes/run-program.js'
import { closeDirectors } from './director.js'
import { findProgram, installLine, type Program } from './programs.js'

export interface Suite {
  readonly name: string
  /** Programs without which no check of it can run. */
  readonly needs: readonly Program[]
  /** `folder` is gone afterwards, and so is every process that was started. */
  readonly run: (checks: Checks, folder: string) => Promise<void>
}

// More than one program may take, so that the wait says first what it was that did not come.
export const CHECK_MS = RUN_MS + PATIENCE_MS

export class Checks {
  /** Whether suites also run what takes minutes. */
  readonly isLong: boolean
  #passed = 0
  #failed = 0
  readonly #missing = new Set<Program>()

  constructor (isLong: boolean) {
    this.isLong = isLong
  }

  /** Runs one check; a rejection is its failure, and the checks go on. */
  async check (name: string, body: () => Promise<void>): Promise<void> {
    const startedMs = now()
    const fault = await patiently(body(), 'the end of this check', CHECK_MS).then(() => undefined, messageOf)
    this.record(name, now() - startedMs, fault)
  }

  /** Counts a check that was run elsewhere; `fault` is why it failed, if it did. */
  record (name: string, ms: number, fault?: string): void {
    if (fault === undefined) this.#passed++
    else this.#failed++
    process.stdout.write(`${fault === undefined ? 'ok     ' : 'FAILED '} ${name} (${ms.toFixed(0)} ms)\n${fault === undefined ? '' : indented(fault)}`)
  }

  /** Says what was measured. Counts as nothing. */
  note (text: string): void {
    process.stdout.write(`        ${text}\n`)
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
    const folder = openFolder()
    try {
      await suite.run(this, folder.path)
    } catch (error) {
      this.record(`${suite.name}: could not be prepared`, now() - startedMs, messageOf(error))
    } finally {
      await closeDirectors()
      await endAll()
      folder.close()
    }
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

function messageOf (error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** In ms, for the report alone. */
export function now (): number {
  // eslint-disable-next-line no-restricted-syntax -- for the report
  return performance.now()
}

function indented (text: string): string {
  return text.split('\n').map(line => `          ${line}\n`).join('')
}
