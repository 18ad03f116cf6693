import { createSocket } from 'node:dgram'
import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { until } from '#testkit/patience.js'
import { hasIPv6 } from '#testkit/udp-peer.js'
import { Direction } from '../../src/core/ledger/counters.js'
import { DropReason } from '../../src/core/ledger/drop-reason.js'
import { openLibc } from '../../src/engines/batch/system/libc.js'
import { conformance, mayBeCut, openRig } from './conformance.js'
import { heldConformance, heldWhileFull } from './held-conformance.js'
import { openDgramWithDescriptors, openHere } from './open-here.js'

const libc = await openLibc()

void t.test('with descriptors from the system\'s calls', async t => {
  conformance(t, openDgramWithDescriptors)
  heldConformance(t, openDgramWithDescriptors)
  mayBeCut(t, openDgramWithDescriptors, libc)
})

void t.test('a port that Node was handed as a descriptor is nobody else\'s, even if they offer to share it', async t => {
  const { port } = await openRig(t, openDgramWithDescriptors, '127.0.0.1')
  const stranger = createSocket({ type: 'udp4', reuseAddr: true })
  t.teardown(() => { stranger.close() })
  const outcome = await new Promise<string>(resolve => {
    stranger.once('error', error => { resolve((error as NodeJS.ErrnoException).code ?? '') })
    stranger.bind({ port: port(0), address: '127.0.0.1', exclusive: true }, () => { resolve('bound') })
  })
  t.equal(outcome, 'EADDRINUSE')
})

void t.test('a full send queue drops and counts', async t => {
  const { core, port, peer } = await openRig(t, openHere.dgram, '127.0.0.1', {}, { sendQueueBytes: -1 })
  const [server, client] = [await peer(), await peer()]
  core.operations.setDefaultTargets([{ key: 'k', address: '127.0.0.1', ports: [server.port, 0] }])
  await client.send('x', port(0))
  await until(() => core.state.counters.dropped[DropReason.sendQueueFull]! > 0)
  t.equal(core.state.counters.inFlight(Direction.toTarget), 0)
})

void t.test('held while the send queue is full', async t => { await heldWhileFull(t, openHere.dgram, { sendQueueBytes: -1 }) })

// With net.ipv6.bindv6only=1 a socket of Node's for IPv6 does not hear IPv4, and nothing in Node can change that.
void t.test('bound to ::, there is a socket for each family on one port, whatever the system thinks of sharing', { skip: !existsSync('/proc/self/net/udp6') }, async t => {
  if (!await hasIPv6()) {
    t.comment('this machine has no IPv6: not run')
    return
  }
  for (const open of [openHere.dgram, openDgramWithDescriptors]) {
    const { port } = await openRig(t, open, '::')
    const bound = `${port(0).toString(16).toUpperCase().padStart(4, '0')} `
    for (const table of ['udp', 'udp6']) t.match(readFileSync(`/proc/self/net/${table}`, 'latin1'), new RegExp(`: 0+:${bound}`), table)
  }
})
