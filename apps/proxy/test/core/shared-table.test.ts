import t from 'tap'
import { sharedScenarios } from '#testkit/state-table/shared-scenarios.js'
import { Direction } from '../../src/core/ledger/counters.js'
import { SharedDriver } from './shared-driver.js'

for (const { row, name, steps } of sharedScenarios) {
  void t.test(`row ${row}: ${name}`, t => {
    const driver = new SharedDriver()
    const { core } = driver
    for (const [index, step] of steps.entries()) {
      const label = `step ${index + 1}: ${JSON.stringify(step)}`
      if ('grant' in step) driver.grant(step.grant, step.to)
      else if ('send' in step) t.same(driver.send(step.from, step.on ?? 'game', step.send), step.is, label)
      else if ('about' in step) t.same(driver.answer(step.about, step.answer), step.then, label)
      else if ('silence' in step) t.same(driver.silence(step.silence), step.then, label)
      else if ('control' in step) t.same(driver.control(step.control), step.then ?? {}, label)
      else if ('passSeconds' in step) driver.now += step.passSeconds * 1000
      else t.equal(core.state.sessions.size, step.sessions, label)
      t.equal(core.state.counters.inFlight(Direction.toTarget), core.asks.heldCount, 'what is neither forwarded, consumed nor dropped waits')
    }
    t.end()
  })
}
