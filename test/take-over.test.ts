// Whole directors that share a store, behind a balancer that changes its mind: both processes of each in this one, over real sockets,
// with the store's twin and a clock that the test moves.
import pino from 'pino'
import t, { type Test } from 'tap'
import { ok } from '#core/result.js'
import { configFrom } from '#testkit/config-from.js'
import { configText } from '#testkit/director/config-text.js'
import { createFakeClock, type FakeClock } from '#testkit/fake-clock.js'
import { openFolder } from '#testkit/folder.js'
import { gameServer } from '#testkit/objects/game-server.js'
import { until } from '#testkit/patience.js'
import { StoreTwin } from '#testkit/store/store-twin.js'
import { openUdpPeer, type UdpPeer } from '#testkit/udp-peer.js'
import { createStore } from '../apps/control/src/inventory/store/store.js'
import { createControlMetrics } from '../apps/control/src/metrics.js'
import { machinePlatform } from '../apps/control/src/platform.js'
import { wireControl, type Features } from '../apps/control/src/wiring.js'
import { systemPlatform } from '../apps/proxy/src/platform.js'
import { openProxy, type Proxy } from '../apps/proxy/src/proxy.js'
import { replicaName } from '../apps/control/src/replicas/replica-name.js'

const PLAYERS = 100

interface Director {
  readonly proxy: Proxy
  readonly features: Features
  /** Of its one data port. */
  readonly port: number
  readonly close: () => Promise<void>
}

interface World {
  readonly clock: FakeClock
  readonly twin: StoreTwin
  readonly server: UdpPeer
  readonly open: (name: string) => Promise<Director>
  /** Lets time pass until it holds. */
  readonly passUntil: (holds: () => boolean | Promise<boolean>) => Promise<void>
}

async function openWorld (t: Test): Promise<World> {
  const clock = createFakeClock(1000)
  const twin = new StoreTwin({ clock, random: () => 0.5 })
  const server = await openUdpPeer()
  server.onDatagram(({ bytes, port }) => { void server.send(`for ${String(bytes)}`, port) })
  const closing: Array<() => Promise<void>> = [async () => { await server.close() }]
  // The one that is waited for may itself need time to pass.
  t.teardown(async () => {
    const isOver = { is: false }
    void Promise.all(closing.map(async close => { await close() })).then(() => { isOver.is = true })
    await passUntil(() => isOver.is)
  })
  const passUntil = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
    await until(async () => {
      if (await holds()) return true
      clock.advance(10)
      return false
    }, { what: holds.toString() })
  }
  return {
    clock,
    twin,
    server,
    passUntil,
    open: async name => {
      const director = await openDirector(name, clock, twin, server.port, passUntil)
      closing.push(director.close)
      return director
    }
  }
}

async function openDirector (name: string, clock: FakeClock, twin: StoreTwin, serverPort: number, passUntil: World['passUntil']): Promise<Director> {
  const folder = openFolder()
  const socketPath = `${folder.path}/proxy.sock`
  const config = configFrom(configText({ dataPorts: { game: 0 }, settings: { engine: 'dgram', sharedState: { urls: ['valkey://twin'] }, loadBalancing: { type: 'leastSessions' }, limits: { storeDeadlineMs: 10_000, asksPerPrefix: 1000 } } }))
  const log = pino({ level: 'silent' })
  const proxy = await openProxy({ config, log, platform: { ...systemPlatform({ socketPath, statePath: undefined }), clock } })
  const store = createStore(['gameserver'])
  store.replace(new Map([['gameserver', [gameServer('arena', { ports: { game: serverPort } })]]]))
  const inventory = { ...store, status: () => ({ synced: true, ageMs: 0, faults: [] }), unready: () => undefined, close: async () => { await Promise.resolve() } }
  const platform = {
    ...machinePlatform({ socketPath, clock, random: Math.random }),
    openInventory: async () => await Promise.resolve(ok(inventory)),
    openStore: async ({ replica, events, deadlineMs }: { replica: string, events: Parameters<StoreTwin['open']>[1], deadlineMs: number }) => await Promise.resolve(ok(twin.open(replica, events, deadlineMs))),
    replicaName: () => replicaName(name)
  }
  let wired: Awaited<ReturnType<typeof wireControl>> | undefined
  void wireControl(platform, { config, metrics: createControlMetrics(), log }).then(result => { wired = result })
  await passUntil(() => wired !== undefined)
  if (wired?.ok !== true) throw new Error(wired?.error)
  const { features, close } = wired.value
  features.link.start()
  await passUntil(() => features.link.isSynchronised)
  let isOpen = true
  return {
    proxy,
    features,
    port: proxy.dataPorts[0]!.port,
    close: async () => {
      if (!isOpen) return
      isOpen = false
      await close()
      await proxy.close()
      folder.close()
    }
  }
}

interface Player {
  readonly peer: UdpPeer
  readonly say: (word: string, to: Director) => Promise<void>
}

async function openPlayers (t: Test): Promise<readonly Player[]> {
  const peers = await Promise.all(Array.from({ length: PLAYERS }, async () => await openUdpPeer()))
  t.teardown(async () => { await Promise.all(peers.map(async peer => { await peer.close() })) })
  return peers.map(peer => ({ peer, say: async (word, to) => { await peer.send(word, to.port) } }))
}

async function issue ({ features: { issuer, chooser } }: Director): Promise<string> {
  const selection = { resourceType: 'gameserver', namespace: 'games' }
  const issued = await issuer.issue(() => chooser.choose(selection, 'test'), { selection, ttlSeconds: 30, via: 'query', holder: {} })
  if (!issued.ok) throw new Error(JSON.stringify(issued.error))
  return issued.value.token
}

async function redeemAll (players: readonly Player[], at: Director, { passUntil }: World): Promise<void> {
  let done = 0
  void Promise.all(players.map(async ({ say }) => {
    await say(await issue(at), at)
    done++
  }))
  await passUntil(async () => done === players.length && await at.proxy.sessions() === players.length)
}

async function sayAll (players: readonly Player[], word: string, to: Director, { passUntil }: World): Promise<void> {
  await Promise.all(players.map(async ({ say }) => { await say(word, to) }))
  await passUntil(() => players.every(({ peer }) => peer.received.some(({ bytes, port }) => String(bytes) === `for ${word}` && port === to.port)))
}

void t.test('a hundred players are sent to another director: all go on, and are counted once again', async t => {
  const world = await openWorld(t)
  const { clock, passUntil } = world
  const [a, b] = [await world.open('a'), await world.open('b')]
  const players = await openPlayers(t)
  await redeemAll(players, a, world)
  await sayAll(players, 'here', a, world)
  const key = 'gameserver/games/arena'
  await passUntil(() => b.features.load.of(key) === PLAYERS && a.features.load.of(key) === PLAYERS)

  await sayAll(players, 'there', b, world)
  t.equal(await b.proxy.sessions(), PLAYERS)
  const movedMs = clock.now()
  let spoken = 0
  await passUntil(async () => {
    if (clock.now() - movedMs > spoken * 10_000) {
      spoken++
      await Promise.all(players.map(async ({ say }) => { await say('still there', b) }))
    }
    return a.features.load.total === 0 && a.features.load.allSessions(key) === PLAYERS && b.features.load.of(key) === PLAYERS
  })
  t.equal(b.features.load.total, PLAYERS)
  t.ok(clock.now() - movedMs < 70_000, `after ${(clock.now() - movedMs) / 1000} s`)
})

void t.test('a director stops: what it lets go goes on at the other one', async t => {
  const world = await openWorld(t)
  const [a, b] = [await world.open('a'), await world.open('b')]
  const players = await openPlayers(t)
  await redeemAll(players, a, world)
  await sayAll(players, 'here', a, world)
  const isOver = { is: false }
  void a.close().then(() => { isOver.is = true })
  await world.passUntil(() => isOver.is)
  await sayAll(players, 'there', b, world)
  t.equal(await b.proxy.sessions(), PLAYERS)
})
