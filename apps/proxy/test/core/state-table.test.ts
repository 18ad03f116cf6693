import t from 'tap'
import { scenarios } from '#testkit/state-table/scenarios.js'
import { Direction } from '../../src/core/ledger/counters.js'
import { CoreDriver } from './core-driver.js'

for (const { row, name, setting, steps } of scenarios) {
  void t.test(`row ${row}: ${name}`, t => {
    const driver = new CoreDriver(setting)
    for (const [index, step] of steps.entries()) {
      const label = `step ${index + 1}: ${JSON.stringify(step)}`
      if ('grant' in step) driver.grant(step.grant, step.to, step.ttlSeconds)
      else if ('revoke' in step) driver.revoke(step.revoke)
      else if ('withdraw' in step) driver.withdraw(step.withdraw)
      else if ('gone' in step) driver.gone(step.gone)
      else if ('send' in step) t.same(driver.send(step.from, step.on ?? 'game', step.send), step.is, label)
      else if ('reply' in step) t.same(driver.reply(step.reply, step.to, step.on ?? 'game'), step.is, label)
      else if ('strangerTo' in step) t.same(driver.stranger(step.strangerTo, step.on ?? 'game'), step.is, label)
      else if ('passSeconds' in step) driver.now += step.passSeconds * 1000
      else t.equal(driver.core.state.sessions.size, step.sessions, label)
    }
    t.equal(driver.core.state.counters.inFlight(Direction.toTarget), 0, 'every datagram of a client is accounted for')
    t.equal(driver.core.state.counters.inFlight(Direction.toClient), 0, 'every datagram of a target is accounted for')
    t.end()
  })
}
