import t from 'tap'
import { SAME_REQUEST_MS, StopRequests, type TakenSignal } from '../src/stop-requests.js'

const all = (hasTerminal: boolean, ...signals: readonly [TakenSignal, number][]): string[] => {
  const requests = new StopRequests(hasTerminal)
  return signals.map(([signal, atMs]) => requests.judge(signal, atMs))
}

void t.test('what one request brings twice counts once; what comes later is a second one', async t => {
  t.same(all(true, ['SIGINT', 0], ['SIGINT', 5]), ['stop', 'same'])
  t.same(all(true, ['SIGINT', 0], ['SIGINT', 5], ['SIGINT', 2000], ['SIGINT', 2005]), ['stop', 'same', 'again', 'same'])
  t.same(all(false, ['SIGTERM', 0], ['SIGINT', 1]), ['stop', 'again'], 'another signal is another request')
})

void t.test('somebody who presses on, faster than that, is heard', async t => {
  t.same(all(true, ['SIGINT', 0], ['SIGINT', 400], ['SIGINT', 800], ['SIGINT', SAME_REQUEST_MS]), ['stop', 'same', 'same', 'again'])
})

void t.test('SIGHUP: a terminal that was closed asks to stop, and nobody is impatient there', async t => {
  t.same(all(true, ['SIGHUP', 0], ['SIGHUP', 5000]), ['stop', 'same'])
  t.same(all(true, ['SIGINT', 0], ['SIGHUP', 5000]), ['stop', 'same'])
  t.same(all(false, ['SIGHUP', 0], ['SIGTERM', 1], ['SIGUSR2', 2]), ['ignored', 'stop', 'ignored'])
})
