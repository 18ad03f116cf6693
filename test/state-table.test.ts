// Every row of the state table against the running pair of processes, over real sockets.
import t from 'tap'
import { scenarios, settings, type Setting, type Step } from '#testkit/scenarios.js'
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
  else if ('passSeconds' in step) await new Promise(resolve => { setTimeout(resolve, step.passSeconds * 1000) })
  else return { found: await driver.sessions(), wanted: step.sessions }
  return undefined
}

// The settings run side by side, each with its own pair; most of their time is waiting for time-outs.
t.jobs = Object.keys(settings).length
for (const setting of Object.keys(settings) as Setting[]) {
  void t.test(setting, { buffered: true }, async t => {
    const driver = await PairDriver.open(setting)
    t.teardown(async () => { await driver.close() })
    for (const { row, name, steps } of scenarios.filter(scenario => scenario.setting === setting)) {
      await t.test(`row ${row}: ${name}`, async t => {
        await driver.reset()
        for (const [index, step] of steps.entries()) {
          const seen = await play(driver, step)
          if (seen !== undefined) t.same(seen.found, seen.wanted, `step ${index + 1}: ${JSON.stringify(step)}`)
        }
      })
    }
  })
}
