import t from 'tap'
import { createFakeClock } from '#testkit/fake-clock.js'
import { SystemError } from '../../../src/engines/batch/system/udp-socket.js'
import { SocketFaults } from '../../../src/shards/journal/socket-faults.js'

void t.test('of each kind of fault a few lines a second, without a stack, and a count of the others', t => {
  const clock = createFakeClock(1000)
  const lines: unknown[] = []
  const faults = new SocketFaults({ clock, linesPerSecond: 2, voice: { log: (level, fields, message) => { lines.push({ level, ...fields, message }) } } })
  const [full, taken] = [new SystemError('socket', -24), new SystemError('bind', -98)]
  for (let number = 0; number < 6000; number++) faults.report(full)
  for (let number = 0; number < 50; number++) faults.report(taken)
  const emfile = { level: 'warn', code: 'EMFILE', fault: 'socket: EMFILE', message: 'Socket error' }
  const inUse = { level: 'warn', code: 'EADDRINUSE', fault: 'bind: EADDRINUSE', message: 'Socket error' }
  t.same(lines.splice(0), [emfile, emfile, inUse, inUse])
  clock.advance(1000)
  faults.report(full)
  faults.report(full)
  faults.report(full)
  t.same(lines.splice(0), [emfile, emfile])
  t.same({ total: faults.total, suppressed: faults.suppressed }, { total: 6053, suppressed: 5998 + 48 + 1 })
  t.same([...faults.takeLeftOut()].map(({ cause, leftOut }) => [cause, leftOut]), [['EMFILE', 5999], ['EADDRINUSE', 48]])
  t.same([...faults.takeLeftOut()].map(({ leftOut }) => leftOut), [0, 0], 'told once')
  faults.report(new Error('of no kind'))
  t.match(lines, [{ code: 'UNKNOWN', fault: 'of no kind' }])
  t.end()
})
