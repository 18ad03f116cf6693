import t from 'tap'
import type { Binding } from '#rpc/replica-schemas.js'
import { MISSED_WAITS_MS, REFUSAL_MS } from '../../src/replicas/replicas.js'
import { ReplicaRig, target } from './rig.js'

void t.test('events of sessions that the proxy left out are made good by its list', async t => {
  const rig = new ReplicaRig(t)
  const [a, b] = await rig.start('a-1', 'b-1')
  const binding: Binding = { client: '192.0.2.1:4711', target, idleMs: 0 }
  a!.bindings = [binding]
  for (let line = 0; line < 3; line++) a!.replicas.hear({ type: 'skipped', kind: 'binding', lines: 5 })
  t.match(await rig.settled(b!.replicas.sessions.find(binding.client)), { value: undefined })
  await rig.settle(MISSED_WAITS_MS)
  await rig.settle(10)
  t.match(await rig.settled(b!.replicas.sessions.find(binding.client)), { ok: true, value: { target, replicas: ['a-1'] } })
})

void t.test('who is there is known by name, and counted', async t => {
  const rig = new ReplicaRig(t)
  const [a] = await rig.start('a-1', 'b-1')
  await rig.settle(2000)
  await rig.settle(2000)
  t.match(await rig.settled(a!.replicas.list()), [{ replica: 'a-1', version: '1.0.0' }, { replica: 'b-1' }])
  t.equal(a!.replicas.reading().directors, 2)
  rig.twin.goDown()
  await rig.settle(10)
  t.match(await rig.settled(a!.replicas.list()), [{ replica: 'a-1' }])
  t.equal(a!.replicas.reading().directors, 1)
})

void t.test('what the store refuses is told for as long as it does', async t => {
  const rig = new ReplicaRig(t)
  const [a] = await rig.start('a-1')
  t.match(a!.replicas.reading(), { status: 'up', reason: undefined })
  rig.twin.refuse('OOM command not allowed')
  await rig.settle(5000)
  const told = { status: 'up', reason: 'The store refuses calls: OOM command not allowed.' }
  t.match(a!.replicas.reading(), told, 'nobody but the directors themselves has asked')
  await rig.settle(2 * REFUSAL_MS)
  t.match(a!.replicas.reading(), told)
  rig.twin.refuse(undefined)
  await rig.settle(REFUSAL_MS)
  t.match(a!.replicas.reading(), { status: 'up', reason: undefined })
})
