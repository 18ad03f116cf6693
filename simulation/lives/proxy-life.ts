// One life of the proxy, from a start to a crash: the product's own, on a simulated platform. Whatever is in it dies with it.
import type { NetworkInterfaceInfo } from 'node:os'
import { ok } from '#core/result.js'
import type { RpcService } from '#rpc/service.js'
import type { Token } from '#wire/token.js'
import { TokenState } from '../../apps/proxy/src/core/tables/token-table.js'
import type { Platform } from '../../apps/proxy/src/platform.js'
import { openProxy, type ProxyDeps } from '../../apps/proxy/src/proxy.js'
import { createProxyService } from '../../apps/proxy/src/rpc/proxy-service.js'
import type { RpcPlace } from '../../apps/proxy/src/rpc/rpc-place.js'
import type { EngineKind } from '../../apps/proxy/src/shards/engine-kind.js'
import { shardOfClient } from '../../apps/proxy/src/engines/shard-of-client.js'
import { readFormerState } from '../../apps/proxy/src/state/former-state.js'
import type { SavedFiles } from '../../apps/proxy/src/state/files/saved-files.js'
import type { StatePlace } from '../../apps/proxy/src/state/state-place.js'
import type { StateStorage } from '../../apps/proxy/src/state/files/state-storage.js'
import type { Datagram } from '../cast/datagram.js'
import type { SimEngine } from '../platform/engine.js'
import { redemptionOf, type Redemptions } from '../checks/ledger-entries.js'
import { WRITTEN_WITHIN_MS } from '../checks/ledger.js'
import { ProcessClock } from '../platform/process-clock.js'
import { SimShard } from './shard.js'
import type { Surroundings } from '../platform/surroundings.js'
import type { Listening } from '../platform/transport.js'

/** Ports of upstream sockets, never given out twice in a run: a game server that answers a dead proxy answers nobody. */
export class UpstreamPorts {
  #last = 0
  next (wanted: number): number { return wanted > 0 ? wanted : ++this.#last }
}

export interface ProxyLifeOptions {
  readonly surroundings: Surroundings
  readonly number: number
  /** Of its director. */
  readonly director: number
  readonly shards: number
  readonly ports: UpstreamPorts
  /** Where the life before this one has left its state. */
  readonly storage: StateStorage
  readonly former: ProxyLife | undefined
  /** Called when it forwards. */
  readonly onShards: (life: ProxyLife) => void
}

// Nobody reads it; a bug ends the run.
const quiet: ProxyDeps['log'] = {
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: ({ err }: { err: Error }) => { throw err },
  isLevelEnabled: () => false
}

// What addresses this machine has is nothing a seed could know.
const ownAddress: NetworkInterfaceInfo = { address: '203.0.113.1', netmask: '255.255.255.0', cidr: '203.0.113.1/24', family: 'IPv4', mac: '02:00:00:00:00:01', internal: false }

export class ProxyLife implements Listening {
  readonly number: number
  readonly instanceId: string
  readonly shards: readonly SimShard[]
  readonly redemptions: Redemptions = new Map()
  isAlive = true
  service: RpcService | undefined
  #crashedMs = 0
  /** Called when this life ends, for those who have a connection to it. */
  readonly onCrash = new Set<() => void>()
  readonly #options: ProxyLifeOptions
  readonly #surroundings: Surroundings
  readonly #clock: ProcessClock
  readonly #sockets = new Map<number, { readonly engine: SimEngine, readonly socketNumber: number }>()
  readonly #opened: SimShard[] = []

  constructor (options: ProxyLifeOptions) {
    const { surroundings, number } = options
    const { random, time, profile: { config, sweepPeriodMs } } = surroundings
    this.#options = options
    this.number = number
    this.instanceId = `proxy-${number}`
    this.shards = this.#opened
    this.#surroundings = surroundings
    const clock = this.#clock = new ProcessClock(time, random.between(0, 100_000), wallOffsetOf(number))
    const platform: Platform = {
      clock,
      random: random.next,
      newInstanceId: () => this.instanceId,
      engines: [this.#engine()],
      rpc: this.#rpc(),
      state: this.#state(),
      networkInterfaces: () => ({ eth0: [ownAddress] }),
      processSamples: () => [],
      sweepPeriodMs
    }
    void openProxy({ config, log: quiet, platform })
  }

  /** A datagram of a client: each address belongs to one shard. */
  fromClient (datagram: Datagram): void {
    const { words, port } = datagram.source
    this.shards[shardOfClient(words, port, this.shards.length)]?.sockets.fromClient(datagram)
  }

  /** A datagram for an upstream port; nobody hears it if the port is not open. */
  fromTarget (upstreamPort: number, words: Uint32Array, port: number, bytes: Uint8Array): void {
    const socket = this.#sockets.get(upstreamPort)
    socket?.engine.fromTarget(socket.socketNumber, words, port, bytes, upstreamPort)
  }

  /** Upstream ports that are open, for those who guess them. */
  get openPorts (): number[] { return [...this.#sockets.keys()] }

  get sessions (): number { return this.shards.reduce((sum, { core }) => sum + core.state.sessions.size, 0) }

  /** Whether a client can redeem a token now on every data port where nobody has, whichever shard it comes to. */
  worksEverywhere (token: Token): boolean {
    const { length } = this.#surroundings.profile.config.dataPorts
    return this.shards.every(shard => {
      for (let dataPort = 0; dataPort < length; dataPort++) {
        if (shard.tokenState(token, dataPort) !== TokenState.live && !this.redemptions.has(redemptionOf(token, dataPort))) return false
      }
      return true
    })
  }

  /** Whether somebody has redeemed a token on one of the data ports. */
  hasRedeemed (token: Token): boolean {
    return this.#surroundings.profile.config.dataPorts.some((_, dataPort) => this.redemptions.has(redemptionOf(token, dataPort)))
  }

  /** Whether a token can be redeemed anywhere: where the store is asked first, not if that says it is void. */
  worksAnywhere (token: Token): boolean {
    const { store, profile: { config: { dataPorts: { length } } } } = this.#surroundings
    const isVoid = store?.isVoid(token) === true
    return this.shards.some(shard => {
      if (isVoid && shard.ledger.areAsksHeard) return false
      for (let dataPort = 0; dataPort < length; dataPort++) if (shard.tokenState(token, dataPort) === TokenState.live) return true
      return false
    })
  }

  // What was redeemed in the life before stays so, but for the last of its changes.
  #holdRedemptions (former: ProxyLife): void {
    for (const { token, dataPort, atMs } of former.redemptions.values()) {
      if (former.#crashedMs - atMs <= WRITTEN_WITHIN_MS) continue
      const isLive = this.shards.some(shard => shard.tokenState(token, dataPort) === TokenState.live)
      this.#surroundings.watch.hold('redeemedOnce', token, dataPort, isLive ? 2 : 1)
    }
  }

  /** What is quick to check: the books of the shards that did something. */
  check (): void {
    for (const shard of this.shards) shard.sockets.balance()
  }

  /** Everything else. */
  scan (): void {
    for (const shard of this.shards) {
      shard.scan()
      for (const bound of shard.bounds()) this.#surroundings.watch.hold('boundsHold', bound)
    }
  }

  /** The process is gone, in the middle of whatever it did. */
  crash (): void {
    const { trace, time } = this.#surroundings
    trace.note('proxyCrashes', time.nowMs, this.number, this.sessions, this.shards[0]?.core.state.tokens.size ?? 0)
    this.isAlive = false
    this.#crashedMs = time.nowMs
    this.#clock.stop()
    for (const tell of [...this.onCrash]) tell()
    this.onCrash.clear()
  }

  #engine (): EngineKind {
    const { surroundings, director, shards, ports, storage, former, onShards } = this.#options
    const openPort = (engine: SimEngine, socketNumber: number, wanted: number): number => {
      const port = ports.next(wanted)
      this.#sockets.set(port, { engine, socketNumber })
      return port
    }
    return {
      name: 'batch',
      find: async () => await Promise.resolve(ok(({ voice }) => ({
        shards,
        openShard: async start => {
          const shard = new SimShard({
            surroundings,
            director,
            clock: this.#clock,
            start,
            voice,
            redemptions: this.redemptions,
            openPort,
            closePort: port => { this.#sockets.delete(port) },
            isAlive: () => this.isAlive,
            storage,
            former: former && { ledgers: former.shards.map(({ ledger }) => ledger), crashedMs: former.#crashedMs }
          })
          if (this.#opened.push(shard) === shards) {
            surroundings.trace.note('proxyStarts', surroundings.time.nowMs, this.number, shards, this.sessions)
            if (former !== undefined) this.#holdRedemptions(former)
            onShards(this)
          }
          return await Promise.resolve(shard)
        }
      })))
    }
  }

  #rpc (): RpcPlace {
    const { plant } = this.#surroundings
    return {
      claim: async () => { await Promise.resolve() },
      load: async () => await Promise.resolve({
        createService: createProxyService,
        createServer: service => ({
          listen: async () => {
            this.service = plant === 'numbersAsText' ? talkative(service) : service
            await Promise.resolve()
          },
          tables: () => ({ rpc_connections: { entries: 0, capacity: 0 }, rpc_calls: { entries: 0, capacity: 0 } }),
          close: async () => { await Promise.resolve() }
        })
      })
    }
  }

  #state (): StatePlace {
    const { storage } = this.#options
    const path = 'state'
    return {
      path,
      readClaimed: async (dataPortNames, voice, clock) => ({
        former: await readFormerState(path, dataPortNames, voice, clock, filesOf(storage)),
        release: async () => { await Promise.resolve() }
      }),
      isInMemory: async () => await Promise.resolve(true),
      openWriter: () => { throw new Error('a storage in memory needs no thread') },
      openStorage: () => storage
    }
  }
}

// Somebody sets the clock between two lives, an hour or more either way.
function wallOffsetOf (life: number): number {
  return (life % 3 - 1) * (life + 1) * 3_600_000
}

function filesOf (storage: StateStorage): SavedFiles {
  const remove = async (name: string): Promise<void> => {
    storage.remove(name)
    await Promise.resolve()
  }
  return {
    read: async () => await Promise.resolve(new Map(storage.list().map(name => [name, storage.read(name)]))),
    tryToWrite: async () => { await Promise.resolve() },
    setAside: remove,
    remove
  }
}

// A plant.
function talkative (service: RpcService): RpcService {
  return {
    ...service,
    answer: async (name, request) => {
      const { status, body } = await service.answer(name, request)
      return name === 'listSessions' && status === 200 ? { status, body: { ...body as object, total: '1' } } : { status, body }
    }
  }
}
