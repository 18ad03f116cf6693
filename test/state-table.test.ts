// Every row of the state table against the running pair of processes, over real sockets. Time is real here: what has passed
// is measured, and a scenario in which too much has is played again.
/* eslint-disable no-restricted-syntax -- as said above */
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { PATIENCE_MS } from '#testkit/patience.js'
import { scenarios, settings, type Setting, type Step } from '#testkit/state-table/scenarios.js'
import { PairDriver } from './pair-driver.js'

interface Seen { readonly label: string, readonly found: unknown, readonly wanted: unknown }

async function play (driver: PairDriver, step: Step): Promise<Pick<Seen, 'found' | 'wanted'> | undefined> {
  if ('grant' in step) await driver.grant(step.grant, step.to, step.ttlSeconds)
  else if ('revoke' in step) await driver.revoke(step.revoke)
  else if ('withdraw' in step) await driver.withdraw(step.withdraw)
  else if ('gone' in step) await driver.gone(step.gone)
  else if ('send' in step) return { found: await driver.send(step.from, step.on ?? 'game', step.send), wanted: step.is }
  else if ('reply' in step) return { found: await driver.reply(step.reply, step.to, step.on ?? 'game'), wanted: step.is }
  else if ('strangerTo' in step) return { found: await driver.stranger(step.strangerTo, step.on ?? 'game'), wanted: step.is }
  else if ('passSeconds' in step) await sleep(step.passSeconds * 1000)
  else return { found: await driver.sessions(), wanted: step.sessions }
  return undefined
}

// What a scenario lets pass and what its time-outs are differ by at least this much, in ms.
const LEEWAY_MS = 700

const isAsWanted = ({ found, wanted }: Seen): boolean => isDeepStrictEqual(found, wanted)

/** Plays a scenario; again, if it went wrong while more time passed than it lets pass: then it was another scenario. */
async function playInTime (driver: PairDriver, steps: readonly Step[]): Promise<readonly Seen[]> {
  const plannedMs = steps.reduce((sum, step) => sum + ('passSeconds' in step ? step.passSeconds * 1000 : 0), 0)
  for (const firstMs = performance.now(); ;) {
    await driver.reset()
    const startedMs = performance.now()
    const all: Seen[] = []
    for (const [index, step] of steps.entries()) {
      // Where a session should be and is none, a later step may not be possible at all.
      const seen = await play(driver, step).catch((error: unknown) => ({ found: String(error), wanted: 'a step' }))
      if (seen !== undefined) all.push({ label: `step ${index + 1}: ${JSON.stringify(step)}`, ...seen })
    }
    const isSlow = plannedMs > 0 && performance.now() - startedMs > plannedMs + LEEWAY_MS
    if (!isSlow || all.every(isAsWanted) || performance.now() - firstMs > PATIENCE_MS) return all
  }
}

// The settings run side by side, each with its own pair; most of their time is waiting for time-outs.
t.jobs = Object.keys(settings).length
for (const setting of Object.keys(settings) as Setting[]) {
  void t.test(setting, { buffered: true }, async t => {
    const driver = await PairDriver.open(setting)
    t.teardown(async () => { await driver.close() })
    for (const { row, name, steps } of scenarios.filter(scenario => scenario.setting === setting)) {
      await t.test(`row ${row}: ${name}`, async t => {
        for (const { label, found, wanted } of await playInTime(driver, steps)) t.same(found, wanted, label)
      })
    }
  })
}
