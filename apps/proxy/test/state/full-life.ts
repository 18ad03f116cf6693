// A life of a proxy in which every record there is has something to say in each of its fields: what is written of it is
// written for good, and what the next life knows of it can be compared.
import { createFakeClock, type FakeClock } from '#testkit/fake-clock.js'
import { whole } from '#core/slices.js'
import type { Payload } from '#testkit/state-table/scenarios.js'
import { addressWords } from '#wire/address.js'
import { createCore, type Core } from '../../src/core/core.js'
import { Direction } from '../../src/core/ledger/counters.js'
import { restoreSessions, restoreTokens } from '../../src/state/restore.js'
import { loadSavedState } from '../../src/state/saved-state.js'
import { savedTokens } from '../../src/state/saved-tokens.js'
import { StateLog } from '../../src/state/state-log.js'
import { bytesOf, servers, silentObserver, testOptions, tokenOf } from '../core/core-driver.js'
import { MemoryStorage } from '#testkit/memory-storage.js'

export const dataPorts = [{ name: 'game', port: 7777 }, { name: 'voice', port: 7778 }]
export const dataPortNames = dataPorts.map(({ name }) => name)

export const clients = { four: addressWords('192.0.2.7')!, six: addressWords('2001:db8::7')! } as const

export function emptyCore (): Core {
  return createCore(testOptions(), silentObserver)
}

export function openLog (core: Core, clock: FakeClock, storage = new MemoryStorage()): { readonly log: StateLog, readonly storage: MemoryStorage } {
  const log = new StateLog({ storage, state: core.state, clock, header: { run: 'full', bootId: clock.boot()?.id, shard: 0, shards: 1, generation: 1, dataPorts }, onHealth: ({ error }) => { if (error !== undefined) throw error } })
  log.open()
  return { log, storage }
}

export interface FullLife {
  readonly core: Core
  readonly clock: FakeClock
  readonly storage: MemoryStorage
  readonly log: StateLog
}

/** Lives it, and is killed after its counters were written. */
export function fullLife (): FullLife {
  const clock = createFakeClock(1000)
  const core = emptyCore()
  const { log, storage } = openLog(core, clock)
  const { operations, packets, state } = core
  const pass = (ms: number): void => {
    clock.advance(ms)
    log.tick()
  }
  const grant = (name: string, server: keyof typeof servers, client?: Uint32Array): void => { operations.grant({ token: tokenOf(name), target: servers[server], ttlMs: 30_000, consumed: 0, client }, clock.now()) }
  const send = (client: Uint32Array, port: number, payload: Payload, dataPort = 0, local = 0): void => {
    const bytes = bytesOf(payload)
    if (packets.fromClient(dataPort, client, port, bytes, false, clock.now(), 0, bytes.length, local) === 0) state.counters.countProxied(Direction.toTarget, dataPort, bytes.length)
    log.flush()
  }
  const reply = (socket: number, server: keyof typeof servers, dataPort: number, bytes: number): void => {
    if (packets.fromTarget(socket, addressWords(servers[server].address)!, servers[server].ports[dataPort]!, bytes, false, clock.now()) === 0) state.counters.countProxied(Direction.toClient, dataPort, bytes)
  }
  const link = state.locals.intern(addressWords('fe80::1')!, 3)

  // Two guests, one after the other gone again: what comes after them has slots, serials and sockets above zero.
  operations.setDefaultTargets([servers.A])
  send(clients.four, 1001, { data: 'guest' })
  send(clients.six, 1002, { data: 'guest' })
  state.upstreamPorts.set(0, true, 4001)
  state.upstreamPorts.set(1, true, 4002)
  pass(100)
  // One comes with a token, and sends on both data ports to an address of its own choice.
  grant('join', 'D')
  send(clients.six, 1003, { token: 'join' })
  send(clients.six, 1003, { data: 'hello' }, 0, link)
  send(clients.six, 1003, { data: 'hello!' }, 1, link)
  reply(0, 'D', 1, 9)
  state.upstreamPorts.set(0, false, 6001)
  // One is moved by its token: the pair that it left lingers.
  grant('move', 'B')
  send(clients.four, 1001, { control: 'move' })
  send(clients.four, 1001, { data: 'there' })
  send(clients.four, 1001, { control: 'move' })
  operations.endSession(1, clock.now())
  operations.moveSession(0, servers.C, clock.now())
  send(clients.four, 1001, { data: 'and there' }, 0)
  pass(100)
  // Tokens of every kind: nobody's yet, somebody's, redeemed on one of two data ports, void.
  grant('live', 'A')
  grant('theirs', 'B', clients.six)
  grant('half', 'D')
  send(clients.six, 1004, { token: 'half' }, 1)
  grant('void', 'A')
  operations.withdraw(tokenOf('void'))
  send(clients.four, 1005, { token: 'void' })
  send(clients.four, 0, { data: 'from nowhere' })
  whole(operations.leaveTargets([{ key: 'A', stays: undefined }], clock.now()), clock.now())
  // To where it is already: what its clients and servers have sent so far is written with it.
  grant('again', 'D')
  send(clients.six, 1003, { data: 'hello again' }, 1, link)
  send(clients.six, 1003, { control: 'again' }, 0, link)
  pass(100)
  // Seen once more, and nothing else of it has changed.
  send(clients.six, 1003, { control: 'again' }, 0, link)
  pass(10_000)
  return { core, clock, storage, log }
}

/** The cores of the next life. */
export function nextLife (storage: MemoryStorage, clock: Pick<FakeClock, 'now' | 'boot' | 'wallNow'>, shards = 1): readonly Core[] {
  const saved = loadSavedState(storage, dataPortNames)
  const tokens = savedTokens(saved, clock)
  return Array.from({ length: shards }, (_, shard) => {
    const core = emptyCore()
    restoreSessions(core.state, saved, { shard, shards, clock })
    restoreTokens(core.state, tokens, clock.now())
    return core
  })
}
