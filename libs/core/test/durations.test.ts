import t from 'tap'
import { inMs, seconds } from '../src/durations.js'

void t.test('spans of time in seconds become milliseconds, by value and by name; nothing else changes', t => {
  t.equal(seconds(1.5), 1500)
  t.strictSame(inMs({ lingerSeconds: 30, newSessionsPerSecond: 4, name: 'x', list: [1] }), { lingerMs: 30_000, newSessionsPerSecond: 4, name: 'x', list: [1] })
  t.end()
})
