// What may happen in a step. Actors do not check first whether they have something to do. If not, the step only lets time pass.
import { addresses, type Address } from './cast/address-book.js'
import type { Client } from './cast/clients.js'
import { controlOf, junkBytes, malformedOf, oversizeOf, tokenOf, type Datagram } from './cast/datagram.js'
import { drawSelection, resourceTypes } from './cast/objects.js'
import { storeEvents } from './cast/world-store.js'
import { randomToken } from './cast/random-token.js'
import type { World } from './world.js'

interface Action {
  readonly group: 'players' | 'hostile' | 'operators' | 'crashes' | 'moves' | 'replicas' | 'store' | 'time'
  readonly weight: number
  /** Whether promises may go on after it. */
  readonly wakes: boolean
  readonly run: (world: World) => void
}

const FLOOD = 12
const MOST_DOWN_MS = 1500
/** How long a balancer may send datagrams to nobody. */
const MOST_UNKNOWN_MS = 3000

export const actions = {
  data: { group: 'players', weight: 50, wakes: false, run: world => { sendData(world, world.clients.any()) } },
  query: { group: 'players', weight: 8, wakes: true, run: world => { query(world, world.clients.any()) } },
  token: { group: 'players', weight: 8, wakes: false, run: world => { sendToken(world, world.clients.any()) } },
  tokenAndData: {
    group: 'players',
    weight: 4,
    wakes: false,
    run: world => {
      const client = world.clients.any()
      sendToken(world, client)
      sendData(world, client)
    }
  },
  retransmit: { group: 'players', weight: 5, wakes: false, run: world => { retransmit(world, world.clients.any()) } },
  rebind: { group: 'moves', weight: 2, wakes: false, run: world => { world.clients.rebind(world.clients.any()) } },
  wait: { group: 'time', weight: 0.6, wakes: false, run: world => { world.wait(world.random.between(100, 2500)) } },
  waitLong: { group: 'time', weight: 0.015, wakes: false, run: world => { world.wait(world.random.between(10_000, 40_000)) } },

  guess: { group: 'hostile', weight: 2, wakes: false, run: world => { world.send(tokenOf(anyAddress(world), anyPort(world), randomToken(world.random), '')) } },
  replay: { group: 'hostile', weight: 4, wakes: false, run: world => { replay(world, anyAddress(world)) } },
  malformed: {
    group: 'hostile',
    weight: 2,
    wakes: false,
    run: world => { world.send(malformedOf(anyAddress(world), anyPort(world), Uint8Array.from({ length: world.random.below(50) }, () => world.random.below(256) | 0x80))) }
  },
  oversize: { group: 'hostile', weight: 0.5, wakes: false, run: world => { world.send(oversizeOf(anyAddress(world), anyPort(world), world.clients.serial())) } },
  spoofData: { group: 'hostile', weight: 2, wakes: false, run: world => { world.send(world.clients.data(anyAddress(world), anyPort(world))) } },
  spoofReply: { group: 'hostile', weight: 4, wakes: false, run: world => { spoofReply(world) } },
  flood: { group: 'hostile', weight: 0.7, wakes: false, run: world => { for (let count = 0; count < FLOOD; count++) world.send(world.clients.data(anyAddress(world), anyPort(world))) } },

  endSession: { group: 'operators', weight: 0.8, wakes: true, run: world => { ask(world, 'end') } },
  moveSession: { group: 'operators', weight: 1.2, wakes: true, run: world => { ask(world, 'move') } },
  getSession: { group: 'operators', weight: 0.3, wakes: true, run: world => { ask(world, 'get') } },
  listSessions: { group: 'operators', weight: 0.8, wakes: true, run: world => { void world.anyControl()?.ask('listSessions', { query: { limit: world.random.between(1, 20) } }) } },
  revoke: { group: 'operators', weight: 1, wakes: true, run: world => { revoke(world) } },
  serverGone: { group: 'operators', weight: 0.4, wakes: true, run: world => { world.changeFleet('remove') } },
  serverReplaced: { group: 'operators', weight: 0.6, wakes: true, run: world => { world.changeFleet('replace') } },
  serverChanges: { group: 'operators', weight: 0.8, wakes: true, run: world => { world.changeFleet('change') } },
  serverMoves: { group: 'operators', weight: 0.2, wakes: true, run: world => { world.changeFleet('move') } },
  relist: { group: 'operators', weight: 0.3, wakes: true, run: world => { world.anyControl()?.relist() } },

  proxyCrash: { group: 'crashes', weight: 0.15, wakes: true, run: world => { world.anyDirector()?.crashProxy(world.random.between(0, MOST_DOWN_MS)) } },
  controlCrash: { group: 'crashes', weight: 0.15, wakes: true, run: world => { world.anyDirector()?.crashControl(world.random.between(0, MOST_DOWN_MS)) } },
  controlStops: { group: 'crashes', weight: 0.1, wakes: true, run: world => { world.anyDirector()?.stopControl(world.random.between(0, MOST_DOWN_MS)) } },
  secondControl: { group: 'crashes', weight: 0.1, wakes: true, run: world => { world.anyDirector()?.addControl() } },

  directorKilled: { group: 'replicas', weight: 0.15, wakes: true, run: world => { world.killDirector(world.random.pick([0, world.random.between(0, MOST_UNKNOWN_MS)]), world.random.between(0, MOST_DOWN_MS)) } },
  directorAdded: { group: 'replicas', weight: 0.1, wakes: true, run: world => { world.addDirector() } },
  directorLeaves: { group: 'replicas', weight: 0.1, wakes: true, run: world => { world.drainDirector() } },
  flowsForgotten: { group: 'replicas', weight: 0.3, wakes: false, run: world => { world.balancer.forget() } },
  flowsDealtAnew: { group: 'replicas', weight: 0.3, wakes: false, run: world => { world.balancer.rehash() } },

  storeTroubled: { group: 'store', weight: 0.4, wakes: true, run: world => { world.store?.happen(world.random.pick(storeEvents)) } }
} as const satisfies Record<string, Action>

export type ActionName = keyof typeof actions

function anyAddress ({ random }: World): Address {
  return random.pick(addresses)
}

function anyPort ({ random, profile }: World): number {
  return random.below(profile.config.dataPorts.length)
}

function sendData (world: World, { address }: Client): void {
  world.send(world.clients.data(address, anyPort(world)))
}

function sendToken (world: World, client: Client): void {
  const token = client.tokens.pop() ?? client.unanswered
  if (token === undefined) return
  client.unanswered = token
  world.send(tokenDatagram(world, client.address, token))
}

function retransmit (world: World, client: Client): void {
  if (client.unanswered !== undefined) world.send(tokenDatagram(world, client.address, client.unanswered))
}

function tokenDatagram (world: World, address: Address, token: Parameters<typeof controlOf>[2]): Datagram {
  const dataPort = anyPort(world)
  return world.random.chance(0.4) ? controlOf(address, dataPort, token) : tokenOf(address, dataPort, token, world.random.pick(['', '', '\n', '\r\n']))
}

function query (world: World, client: Client): void {
  const control = world.anyControl()
  if (control === undefined) return
  const { live } = world.fleet
  const resourceType = live.length > 0 && world.random.chance(0.9) ? world.random.pick(live).resourceType : world.random.pick(resourceTypes)
  void control.query(drawSelection(resourceType, world.random)).then(token => {
    if (token === undefined) return
    // The answer has a way to go, too.
    world.time.plan(world.random.between(0, world.profile.network.mostDelayMs), () => { client.tokens.push(token) }, false)
  })
}

function replay (world: World, address: Address): void {
  const { known } = world
  // The latest ones are those that are worth trying.
  if (known.length > 0) world.send(tokenDatagram(world, address, known[Math.max(0, known.length - 1 - world.random.below(8))]!))
}

function spoofReply (world: World): void {
  const { random, fleet, servers } = world
  const ports = world.anyDirector()?.proxy?.openPorts ?? []
  if (ports.length === 0) return
  const toPort = random.pick(ports)
  const bytes = junkBytes(world.clients.serial())
  const address = anyAddress(world)
  if (random.chance(0.3)) servers.send(address.words, address.port, toPort, bytes)
  else {
    const endpoint = random.pick(fleet.endpoints)
    // From a server's address, and from another port of it.
    servers.send(fleet.at(endpoint)!, endpoint % 65_536 + (random.chance(0.3) ? 100 : 0), toPort, bytes)
  }
}

function ask (world: World, what: 'end' | 'move' | 'get'): void {
  const control = world.anyControl()
  if (control === undefined || control.sessionIds.length === 0) return
  const id = world.random.pick(control.sessionIds)
  if (what === 'end') void control.ask('endSession', { params: { id } })
  else if (what === 'get') void control.ask('getSession', { params: { id } })
  else if (world.fleet.live.length > 0) void control.move(id, world.random.pick(world.fleet.live))
}

function revoke (world: World): void {
  const control = world.anyControl()
  const { known } = world
  if (control !== undefined && known.length > 0) void control.revoke(known[Math.max(0, known.length - 1 - world.random.below(6))]!)
}
