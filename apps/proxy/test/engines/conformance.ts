// What every engine must do with real sockets on loopback. One suite; each engine's test hands in how to open it.
import { createSocket } from 'node:dgram'
import { readdirSync } from 'node:fs'
import type { Test } from 'tap'
import { configFrom } from '#testkit/config-from.js'
import type { CoreChanges } from '#testkit/core-options.js'
import { whole } from '#core/slices.js'
import { systemClock } from '#core/system-clock.js'
import { until } from '#testkit/patience.js'
import { hasIPv6, openUdpPeer, type UdpPeer } from '#testkit/udp-peer.js'
import { createCore, type Core } from '../../src/core/core.js'
import { Direction, REASONS } from '../../src/core/ledger/counters.js'
import { DropReason } from '../../src/core/ledger/drop-reason.js'
import { AF_INET6, IP_MTU_DISCOVER, IPPROTO_IP, IPPROTO_IPV6, IPV6_MTU_DISCOVER, type Libc } from '../../src/engines/batch/system/libc.js'
import { Memory } from '../../src/engines/batch/system/memory.js'
import { BindError, type EngineOptions } from '../../src/engines/engine.js'
import { ShardBody } from '../../src/shards/body/shard-body.js'
import { restoreSessions } from '../../src/state/restore.js'
import { loadSavedState } from '../../src/state/saved-state.js'
import { savedTokens } from '../../src/state/saved-tokens.js'
import { bytesOf, silentObserver, testOptions, tokenOf } from '../core/core-driver.js'
import { MemoryStorage } from '#testkit/memory-storage.js'
import type { ShardEvent } from '../../src/shards/journal/shard-voice.js'
import type { HostedEngine, OpenHere } from './open-here.js'

export interface Rig {
  readonly core: Core
  readonly body: ShardBody
  readonly engine: HostedEngine
  /** Asks the shard. */
  readonly call: HostedEngine['call']
  /** Lets go of everything; done at the test's end in any case. */
  readonly close: () => Promise<void>
  /** What the shard told so far. */
  readonly events: readonly ShardEvent[]
  readonly errors: Error[]
  /** What a kill at this moment would leave. */
  readonly storage: MemoryStorage
  /** Port of a data port by index. */
  readonly port: (index: number) => number
  readonly peer: (family?: 4 | 6) => Promise<UdpPeer>
}

const config = configFrom(`
  inventory: {provider: file, path: /nowhere}
  dataPorts: [{name: game, port: 0}, {name: voice, port: 0}]
`)

export async function openRig (t: Test, open: OpenHere, bindAddress: string | readonly string[], core: CoreChanges = {}, engine: Partial<EngineOptions> = {}): Promise<Rig> {
  const errors: Error[] = []
  const events: ShardEvent[] = []
  const storage = new MemoryStorage()
  const saved = loadSavedState(storage, [])
  const stateStart = { path: 'memory', header: { run: 'rig', bootId: undefined, shard: 0, shards: 1, generation: 1 }, saved, tokens: savedTokens(saved, systemClock) }
  const body = new ShardBody({ start: { config, stateStart, isTracing: false }, clock: systemClock, voice: { log: () => {}, publish: event => { events.push(event) } }, core: testOptions(core), storage })
  const theEngine = await open(body, {
    ...body.wiring,
    bindAddresses: [bindAddress].flat(),
    dataPorts: config.dataPorts,
    receiveBufferBytes: 1_000_000,
    sendQueueBytes: 4_000_000,
    onSocketError: error => { errors.push(error) },
    ...engine
  })
  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    closing ??= (async () => {
      await theEngine.close()
      body.close()
    })()
    await closing
  }
  t.teardown(close)
  const peer = async (family: 4 | 6 = 4): Promise<UdpPeer> => {
    const opened = await openUdpPeer(family)
    t.teardown(opened.close)
    return opened
  }
  return { core: body.core, body, engine: theEngine, call: theEngine.call, close, events, errors, storage, port: index => theEngine.dataPorts[index]!.port, peer }
}

/** Waits until `count` datagrams have come in this way and every one of them is accounted for. */
export async function settled (core: Core, direction: Direction, count: number): Promise<void> {
  const { counters } = core.state
  const start = counters.column(direction, 0)
  const received = (): number => counters.received.subarray(start, start + counters.dataPorts + 1).reduce((sum, value) => sum + value, 0)
  await until(() => received() >= count && counters.inFlight(direction) === 0, { what: () => `${received()} of ${count} datagrams, ${counters.inFlight(direction)} in flight` })
}

const address = (family: 4 | 6): string => family === 4 ? '127.0.0.1' : '::1'

/** A client for each of these addresses of ours, on both data ports: tokens, data, a reset, and a server that speaks first. */
export async function repliesComeFrom (t: Test, { core, port, peer }: Pick<Rig, 'core' | 'port' | 'peer'>, addresses: readonly string[]): Promise<void> {
  const grant = (name: string, servers: readonly UdpPeer[]): void => {
    core.operations.grant({ token: tokenOf(name), target: { key: `${name} target`, address: '127.0.0.1', ports: servers.map(server => server.port) }, ttlMs: 3_600_000, consumed: 0 }, systemClock.now())
  }
  for (const ours of addresses) {
    const client = await peer(ours.includes(':') ? 6 : 4)
    for (const name of [`first ${ours}`, `second ${ours}`]) {
      const servers = [await peer(), await peer()]
      grant(name, servers)
      await client.send(bytesOf({ control: name }), port(0), ours)
      for (const [dataPort, server] of servers.entries()) {
        await client.send('hello', port(dataPort), ours)
        const { port: from } = await server.next()
        for (let number = 0; number < 20; number++) await server.send(`burst ${number}`, from)
        for (let number = 0; number < 20; number++) {
          const { bytes, address, port: source } = await client.next()
          t.strictSame([bytes.toString(), address, source], [`burst ${number}`, ours, port(dataPort)])
        }
      }
    }
  }
}

// How many sessions the next process would find.
export function savedSessions (storage: MemoryStorage): number {
  const saved = loadSavedState(storage, config.dataPorts.map(({ name }) => name))
  return restoreSessions(createCore(testOptions(), silentObserver).state, saved, { shard: 0, shards: 1, clock: systemClock }).sessions
}

function echo (server: UdpPeer): void {
  server.onDatagram(({ bytes, address, port }) => { void server.send(bytes, port, address) })
}

/** How many sessions a kill would find at the moment in which the target has heard from a first client: 1, or the engine does not keep them. */
export async function savedWhenSent (t: Test, open: OpenHere): Promise<number> {
  const { core, storage, port, peer } = await openRig(t, open, '127.0.0.1')
  const [server, client] = [await peer(), await peer()]
  core.operations.grant({ token: tokenOf('t'), target: { key: 'k', address: '127.0.0.1', ports: [server.port, 0] }, ttlMs: 3_600_000, consumed: 0 }, systemClock.now())
  t.equal(savedSessions(storage), 0)
  await client.send(bytesOf({ control: 't' }), port(0))
  await client.send('x', port(0))
  await server.next()
  return savedSessions(storage)
}

export function conformance (t: Test, open: OpenHere): void {
  for (const [bindAddress, clientFamily, targetFamily] of [['127.0.0.1', 4, 4], ['::', 4, 4], ['::', 6, 4], ['::', 4, 6], ['::', 6, 6], ['::1', 6, 6], ['0.0.0.0', 4, 4]] as const) {
    void t.test(`bound to ${bindAddress}, an IPv${clientFamily} client and an IPv${targetFamily} target exchange datagrams on two data ports`, async t => {
      if ((clientFamily === 6 || targetFamily === 6) && !await hasIPv6()) {
        t.comment('this machine has no IPv6: not run')
        return
      }
      const { core, port, peer } = await openRig(t, open, bindAddress)
      const [game, voice, client] = [await peer(targetFamily), await peer(targetFamily), await peer(clientFamily)]
      echo(game)
      core.operations.grant({ token: tokenOf('t'), target: { key: 'k', address: address(targetFamily), ports: [game.port, voice.port] }, ttlMs: 3_600_000, consumed: 0 }, systemClock.now())
      await client.send(bytesOf({ token: 't' }), port(0))
      await client.send('to game', port(0))
      const reply = await client.next()
      t.equal(reply.bytes.toString(), 'to game')
      t.equal(reply.port, port(0), 'the reply comes from the data port the client used')
      await client.send('to voice', port(1))
      const heard = await voice.next()
      t.equal(heard.bytes.toString(), 'to voice')
      await voice.send('from voice', heard.port, heard.address)
      t.equal((await client.next()).port, port(1))
      await settled(core, Direction.toTarget, 3)
      t.equal(game.received.length, 1, 'the token was not forwarded')
      t.equal(core.operations.clientOf(0), `${clientFamily === 4 ? '127.0.0.1' : '[::1]'}:${client.port}`)
    })
  }

  void t.test('bound to a list of addresses: one port at all of them, and replies come from the one the client sent to', async t => {
    const addresses = ['127.0.0.1', '127.0.0.2', ...await hasIPv6() ? ['::1'] : []]
    const { core, engine, port, peer } = await openRig(t, open, addresses)
    t.equal(engine.dataPorts.length, 2)
    t.equal(engine.dataPorts[0]!.address, addresses.join(', '))
    await repliesComeFrom(t, { core, port, peer }, addresses)
  })

  void t.test('datagrams of every size pass unchanged, up to the largest there is', async t => {
    const { core, port, peer } = await openRig(t, open, '127.0.0.1')
    const [server, client] = [await peer(), await peer()]
    echo(server)
    core.operations.setDefaultTargets([{ key: 'k', address: '127.0.0.1', ports: [server.port, 0] }])
    for (const size of [0, 1, 1200, 1472, 1473, 9000, 65_507]) {
      const sent = Buffer.alloc(size, size % 251)
      await client.send(sent, port(0))
      t.ok((await client.next()).bytes.equals(sent), `${size} bytes`)
    }
    await settled(core, Direction.toClient, 7)
    t.equal(core.state.counters.bytes[core.state.counters.column(Direction.toClient, 0)], 0 + 1 + 1200 + 1472 + 1473 + 9000 + 65_507)
  })

  void t.test('order is kept within a session, and two clients on one target keep their own replies', async t => {
    const { core, engine, port, peer } = await openRig(t, open, '127.0.0.1')
    const server = await peer()
    echo(server)
    core.operations.setDefaultTargets([{ key: 'k', address: '127.0.0.1', ports: [server.port, 0] }])
    const clients = await Promise.all([peer(), peer(), peer()])
    for (let number = 0; number < 200; number++) {
      for (const [index, client] of clients.entries()) await client.send(`${index}:${number}`, port(0))
    }
    for (const [index, client] of clients.entries()) {
      const got: string[] = []
      for (let number = 0; number < 200; number++) got.push((await client.next()).bytes.toString())
      t.same(got, Array.from({ length: 200 }, (_, number) => `${index}:${number}`))
    }
    t.equal(engine.upstreamSockets(), 3, 'one upstream socket for each client of one target')
  })

  void t.test('sessions on different targets share an upstream socket, and unused sockets are closed', async t => {
    const { core, engine, port, peer } = await openRig(t, open, '127.0.0.1', { limits: { upstreamLingerMs: 0 } })
    const servers = await Promise.all([peer(), peer(), peer()])
    const clients = await Promise.all(servers.map(async () => await peer()))
    for (const [index, client] of clients.entries()) {
      core.operations.grant({ token: tokenOf(`t${index}`), target: { key: `k${index}`, address: '127.0.0.1', ports: [servers[index]!.port, 0] }, ttlMs: 3_600_000, consumed: 0 }, systemClock.now())
      await client.send(bytesOf({ token: `t${index}` }), port(0))
      await client.send('x', port(0))
      await servers[index]!.next()
    }
    t.equal(engine.upstreamSockets(), 1)
    for (let slot = 0; slot < 3; slot++) core.operations.endSession(slot, systemClock.now())
    whole(core.operations.sweep(systemClock.now() + 1), systemClock.now() + 1)
    whole(engine.sweep(), systemClock.now())
    t.equal(engine.upstreamSockets(), 0)
  })

  void t.test('a datagram the network cannot carry is counted, and the session goes on', async t => {
    if (!await hasIPv6()) {
      t.comment('this machine has no IPv6: not run')
      return
    }
    const { core, port, peer } = await openRig(t, open, '::', { limits: { maxDatagramBytes: 70_000 } })
    const [server, client] = [await peer(4), await peer(6)]
    core.operations.setDefaultTargets([{ key: 'k', address: '127.0.0.1', ports: [server.port, 0] }])
    // IPv6 carries 65,527 bytes of payload (65,535 - 8), IPv4 65,507: this one fits only the way in.
    await client.send(Buffer.alloc(65_520), port(0))
    await client.send('after', port(0))
    t.equal((await server.next()).bytes.toString(), 'after')
    await settled(core, Direction.toTarget, 2)
    t.equal(core.state.counters.dropped[DropReason.oversize], 1)
    t.equal(core.state.sessions.size, 1)
  })

  void t.test('a target that is not there, and its ICMP errors, end nothing', async t => {
    const { core, port, errors } = await openRig(t, open, '127.0.0.1')
    const [server, client] = [await openUdpPeer(), await openUdpPeer()]
    const deadPort = server.port
    await server.close()
    core.operations.setDefaultTargets([{ key: 'k', address: '127.0.0.1', ports: [deadPort, 0] }])
    for (let number = 0; number < 5; number++) await client.send('anyone?', port(0))
    await settled(core, Direction.toTarget, 5)
    const late = await openUdpPeer(4, deadPort)
    t.teardown(late.close)
    await client.send('now?', port(0))
    t.equal((await late.next()).bytes.toString(), 'now?')
    t.same(errors, [])
    t.equal(core.state.sessions.size, 1)
    // A client that is gone: the reply to it meets a closed port.
    const { address, port: upstream } = late.received[0]!
    await client.close()
    await late.send('gone', upstream, address)
    await settled(core, Direction.toClient, 1)
    t.equal(core.state.sessions.size, 1)
  })

  void t.test('replies to a client that has sent one datagram are cut off, and its own data ports are not clients', async t => {
    const { core, port, peer } = await openRig(t, open, '127.0.0.1', { limits: { amplificationFactor: 3 }, ownAddresses: ['127.0.0.1'] })
    const [server, client] = [await peer(), await peer()]
    core.operations.setDefaultTargets([{ key: 'k', address: '127.0.0.1', ports: [server.port, 0] }])
    await client.send('four', port(0))
    const { port: upstream, address } = await server.next()
    await server.send('thirteen long', upstream, address)
    await settled(core, Direction.toClient, 1)
    t.equal(core.state.counters.dropped[Direction.toClient * REASONS + DropReason.amplification], 1)
    await server.send('twelve bytes', upstream, address)
    t.equal((await client.next()).bytes.toString(), 'twelve bytes')
    const { ownSources } = core.state
    for (const index of [0, 1]) t.ok(ownSources.has(new Uint32Array([0, 0, 0xffff, 0x7f00_0001, port(index)])))
    t.notOk(ownSources.has(new Uint32Array([0, 0, 0xffff, 0x7f00_0001, client.port])))
  })

  void t.test('what a datagram changed is written before it leaves', async t => {
    t.equal(await savedWhenSent(t, open), 1, 'a kill after the target has heard from the client finds the session')
  })

  void t.test('a port that is taken, and an address that is not here, are told as such, with nothing left open', async t => {
    const taken = createSocket('udp4')
    await new Promise<void>(resolve => { taken.bind(0, '127.0.0.1', resolve) })
    t.teardown(() => taken.close())
    const port = taken.address().port
    const failure = await openRig(t, open, '127.0.0.1', {}, { dataPorts: [{ name: 'free', port: 0 }, { name: 'game', port }] }).then(() => undefined, (error: unknown) => error)
    t.type(failure, BindError)
    t.match(failure, { code: 'EADDRINUSE', dataPort: { name: 'game', port }, message: `data port "game": cannot bind UDP 127.0.0.1 port ${port} (EADDRINUSE)` })
    const foreign = await openRig(t, open, '192.0.2.1').then(() => undefined, (error: unknown) => error)
    t.match(foreign, { code: 'EADDRNOTAVAIL' })
  })
}

/** What this process's UDP sockets say about the path's MTU, by their local port: `ip` and, of those for IPv6, `ipv6`. */
function mtuDiscovery (libc: Libc): Map<number, { ip: number, ipv6?: number }[]> {
  const [value, length, address] = [new Memory(libc, 8), new Memory(libc, 8), new Memory(libc, 128)]
  const option = (fd: number, level: number, name: number): number | undefined => {
    length.words[0] = 4
    return libc.getsockopt(fd, level, name, value.address, length.address) < 0 ? undefined : value.words[0]
  }
  const found = new Map<number, { ip: number, ipv6?: number }[]>()
  for (const fd of readdirSync('/proc/self/fd').map(Number)) {
    length.words[0] = 128
    const ip = option(fd, IPPROTO_IP, IP_MTU_DISCOVER)
    length.words[0] = 128
    if (ip === undefined || libc.getsockname(fd, address.address, length.address) < 0) continue
    const port = address.bytes[2]! << 8 | address.bytes[3]!
    const ipv6 = address.halves[0] === AF_INET6 ? option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER) : undefined
    found.set(port, [...found.get(port) ?? [], ipv6 === undefined ? { ip } : { ip, ipv6 }])
  }
  return found
}

/** For engines that can choose: no packet of theirs forbids routers to cut it. */
export function mayBeCut (t: Test, open: OpenHere, libc: Libc): void {
  for (const bindAddress of ['127.0.0.1', '0.0.0.0', '::', '::1']) {
    void t.test(`bound to ${bindAddress}, what leaves may be cut on its way, in both directions`, async t => {
      const family = bindAddress.includes(':') ? 6 : 4
      if (family === 6 && !await hasIPv6()) {
        t.comment('this machine has no IPv6: not run')
        return
      }
      const { core, port, peer } = await openRig(t, open, bindAddress)
      const upstream: number[] = []
      for (const targetFamily of family === 6 ? [4, 6] as const : [4] as const) {
        const [server, client] = [await peer(targetFamily), await peer(family)]
        core.operations.setDefaultTargets([{ key: `k${targetFamily}`, address: address(targetFamily), ports: [server.port, 0] }])
        await client.send('x', port(0))
        upstream.push((await server.next()).port)
      }
      const discovery = mtuDiscovery(libc)
      for (const ours of [port(0), port(1), ...upstream]) {
        const sockets = discovery.get(ours) ?? []
        t.ok(sockets.length > 0)
        for (const socket of sockets) t.ok(socket.ip === 0 && (socket.ipv6 ?? 0) === 0, `port ${ours}: ${JSON.stringify(socket)}`)
      }
    })
  }
}
