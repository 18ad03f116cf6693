import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { createFakeClock } from '#testkit/fake-clock.js'
import { BindingWriter } from '../../../src/replicas/sessions/binding-writer.js'
import { KnownBindings } from '../../../src/replicas/sessions/known-bindings.js'
import { OwnProxy } from '../../../src/replicas/sessions/own-proxy.js'
import type { SessionContext } from '../../../src/replicas/sessions/session-context.js'
import { SessionsHere, target, TIMEOUT_MS } from './replicas-here.js'

const client = '192.0.2.1:4711'
const [x, y] = [target('x'), target('y')]

void t.test('an answer of the store that a message has overtaken changes nothing', async t => {
  const clock = createFakeClock()
  const proxy = new SessionsHere(clock)
  proxy.token(client, y)
  const known = new KnownBindings(10)
  const nothing = (): undefined => undefined
  const context = { clock, proxy, judge: () => 'there', isOwnName: () => false, store: { join: nothing }, replica: 'a', timeoutMs: TIMEOUT_MS } as unknown as SessionContext
  const writer = new BindingWriter({ context, known, ownProxy: new OwnProxy(clock, proxy), onIdle: nothing })
  known.learn(client, 10, y)
  t.equal(writer.reconcile({ client, target: y, idleMs: 0 }, { target: x, sequence: 5, replicas: ['b'] }), false)
  await nextTurn()
  t.strictSame(proxy.told, [])
  t.equal(writer.reconcile({ client, target: y, idleMs: 0 }, { target: x, sequence: 11, replicas: ['b'] }), false)
  await nextTurn()
  t.match(proxy.told, [{ change: 'moved', target: x }], 'a newer one does')
})
