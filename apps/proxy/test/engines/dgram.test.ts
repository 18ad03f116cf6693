import t from 'tap'
import { Direction } from '../../src/core/counters.js'
import { DropReason } from '../../src/core/drop-reason.js'
import { openDgramEngine } from '../../src/engines/dgram/dgram-engine.js'
import { conformance, openRig } from './conformance.js'

conformance(t, openDgramEngine)

void t.test('a full send queue drops and counts', async t => {
  const { core, port, peer } = await openRig(t, openDgramEngine, '127.0.0.1', {}, { sendQueueBytes: -1 })
  const [server, client] = [await peer(), await peer()]
  core.operations.setDefaultTargets([{ key: 'k', address: '127.0.0.1', ports: [server.port, 0] }])
  await client.send('x', port(0))
  while (core.state.counters.dropped[DropReason.sendQueueFull] === 0) await new Promise(resolve => { setImmediate(resolve) })
  t.equal(core.state.counters.inFlight(Direction.toTarget), 0)
})
