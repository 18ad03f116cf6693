// How long a test waits, for anything: one limit, which only what hangs can meet.
//
// A test waits for what it waits for: a line of a log, an answer, a counter, a file. `await until(() => …)` when there is
// nothing to await. It never waits for a time and then looks, and never says how fast something must be: on a machine with
// other work every such number is wrong some day. Where a time-out of the product is in the way, the test's configuration
// makes it long (`Pair` does so for those it knows), or its clock is a fake one. Where time itself is what is tested and
// the clock is real, as in test/state-table.test.ts, the test measures what has passed and plays again if it was too much.
// `npm run lint` refuses timers and clocks in tests; who needs one says why beside the exception.

/**
 * In milliseconds: what nothing takes that comes at all, with many other programs on the same cores. The limit of one test
 * file (scripts/run-tests.mjs) is a multiple of it, so that the wait says first what it was that did not come.
 */
export const PATIENCE_MS = 120_000

// At first within a turn or two of the event loop; then less often, to leave the processor to what is waited for.
const EAGER_TURNS = 50
const POLL_MS = 5

export interface UntilOptions {
  /** Goes into the message when it never comes; default: the condition's own text. */
  readonly what?: string | (() => string)
  /** A condition that throws or rejects does not hold yet: a process that is just starting refuses connections. */
  readonly mayFail?: boolean
  /** Between two looks, from the first one on: for what measures while it waits, and must not take the processor. */
  readonly pollMs?: number
}

/** Asks until the condition holds, letting everything else run in between. Rejects after `PATIENCE_MS`. */
export async function until (holds: () => boolean | Promise<boolean>, { what = () => holds.toString(), ...options }: UntilOptions = {}): Promise<void> {
  await eventually(async () => await holds() ? true : undefined, { what, ...options })
}

/** Asks until there is an answer that is not undefined, and returns it. Rejects after `PATIENCE_MS`. */
export async function eventually<Value> (ask: () => Promise<Value | undefined> | Value | undefined, { what, mayFail = false, pollMs }: UntilOptions = {}): Promise<Value> {
  const giveUpAt = performance.now() + PATIENCE_MS
  const eagerTurns = pollMs === undefined ? EAGER_TURNS : 0
  let lastWord = ''
  for (let turn = 0; ; turn++) {
    try {
      const answer = await ask()
      if (answer !== undefined) return answer
    } catch (error) {
      if (!mayFail) throw error
      lastWord = `: ${String(error)}`
    }
    if (performance.now() > giveUpAt) throw new Error(`never came: ${said(what ?? ask.toString())}${lastWord}`)
    await new Promise<void>(resolve => { if (turn < eagerTurns) setImmediate(resolve); else setTimeout(resolve, pollMs ?? POLL_MS) })
  }
}

/** What `promise` says; rejects when it says nothing for `PATIENCE_MS`, with `what` in the message. */
export async function patiently<Value> (promise: Promise<Value>, what: string | (() => string), limitMs = PATIENCE_MS): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => { reject(new Error(`never came: ${said(what)}`)) }, limitMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

function said (what: string | (() => string)): string {
  return typeof what === 'function' ? what() : what
}
