// One life of the proxy, from a start to a crash: real shards, handlers and event stream, without the sockets they would
// stand behind. Whatever is in it dies with it.
import { createRpcService, type RpcHandlers, type RpcService } from '#rpc/service.js'
import type { Token } from '#wire/token.js'
import { Draining } from '../../apps/proxy/src/rpc/draining.js'
import { EventStream } from '../../apps/proxy/src/rpc/event-stream.js'
import { createHandlers } from '../../apps/proxy/src/rpc/handlers.js'
import { SessionCounts } from '../../apps/proxy/src/rpc/session-counts.js'
import { Shards } from '../../apps/proxy/src/shards/shards.js'
import { stateStarts } from '../../apps/proxy/src/shards/state-starts.js'
import { TokenClaims } from '../../apps/proxy/src/shards/calls/token-claims.js'
import { TokenState } from '../../apps/proxy/src/core/tables/token-table.js'
import { loadSavedState } from '../../apps/proxy/src/state/saved-state.js'
import type { StateStorage } from '../../apps/proxy/src/state/files/state-storage.js'
import { SAVE_PERIOD_MS } from '../../apps/proxy/src/state/state-log.js'
import type { Datagram } from '../cast/datagram.js'
import type { SimEngine } from '../platform/engine.js'
import { redemptionOf, WRITTEN_WITHIN_MS, type Redemptions } from '../checks/ledger.js'
import { ProcessClock } from '../platform/process-clock.js'
import { SimShard } from './shard.js'
import type { Surroundings } from '../platform/surroundings.js'

/** Ports of upstream sockets, never given out twice in a run: a game server that answers a dead proxy answers nobody. */
export class UpstreamPorts {
  #last = 0
  next (wanted: number): number { return wanted > 0 ? wanted : ++this.#last }
}

export class ProxyLife {
  readonly number: number
  readonly instanceId: string
  readonly shards: readonly SimShard[]
  readonly redemptions: Redemptions = new Map()
  isAlive = true
  #crashedMs = 0
  /** Called when this life ends, for those who have a connection to it. */
  readonly onCrash = new Set<() => void>()
  readonly #surroundings: Surroundings
  readonly #clock: ProcessClock
  readonly #events: EventStream
  readonly service: RpcService
  readonly #sockets = new Map<number, { readonly engine: SimEngine, readonly socketNumber: number }>()

  /** @param former the life before this one, whose state is in `storage` */
  constructor (surroundings: Surroundings, number: number, ports: UpstreamPorts, storage: StateStorage, former: ProxyLife | undefined) {
    const { random, time, profile: { config, shards, sweepPeriodMs }, plant } = surroundings
    this.number = number
    this.instanceId = `proxy-${number}`
    this.#surroundings = surroundings
    const clock = this.#clock = new ProcessClock(time, random.between(0, 100_000), wallOffsetOf(number))
    const claims = shards > 1 ? new TokenClaims(clock, config.limits.maxTokens) : undefined
    const saved = loadSavedState(storage, config.dataPorts.map(({ name }) => name))
    const given = plant === 'claimsNotShared' ? undefined : claims
    const starts = stateStarts({ config, clock, former: { path: 'state', saved }, run: this.instanceId }, shards, given)
    this.shards = Array.from({ length: shards }, (_, shard) => new SimShard({
      surroundings,
      clock,
      shard,
      claims: plant === 'claimsNotShared' ? undefined : claims?.words,
      redemptions: this.redemptions,
      publish: event => { this.#events.publish(event) },
      openPort: (engine, socketNumber, wanted) => {
        const port = ports.next(wanted)
        this.#sockets.set(port, { engine, socketNumber })
        return port
      },
      closePort: port => { this.#sockets.delete(port) },
      isAlive: () => this.isAlive,
      storage,
      stateStart: starts[shard]!,
      former: former && { ledger: former.shards[shard]!.ledger, crashedMs: former.#crashedMs }
    }))
    for (const name of saved.names) storage.remove(name)
    if (former !== undefined) this.#holdRedemptions(former)
    // A claim number means a place in shared words; without those it would be one in nobody's.
    const all: Shards = new Shards(this.shards, given, clock)
    const counts = new SessionCounts()
    const refresh = async (): Promise<void> => { await all.takeChangedCounts((shard, part) => { counts.apply(shard, part) }) }
    this.#events = new EventStream({ instanceId: this.instanceId, clock, counts, refresh, want: async kinds => { await all.setEventKinds(kinds) } })
    this.#events.start()
    const handlers = createHandlers({
      shards: all,
      instanceId: this.instanceId,
      engine: 'batch',
      dataPorts: config.dataPorts.map(({ name, port }) => ({ name, address: '::', port })),
      draining: new Draining({
        clock,
        timeoutMs: config.drainTimeoutSeconds * 1000,
        apply: async isDraining => { await all.setDraining(isDraining) },
        look: async () => await all.left(),
        log: { info: () => undefined }
      }),
      events: this.#events,
      stats: async () => await Promise.resolve([]),
      onUnusableTargets: () => undefined
    })
    const onBug = (error: Error): void => { throw error }
    this.service = createRpcService({ handlers: plant === 'numbersAsText' ? talkative(handlers) : handlers, events: this.#events, onBug })
    clock.every(SAVE_PERIOD_MS, () => { void all.saveState() })
    clock.every(sweepPeriodMs, () => { void all.sweep() })
    surroundings.trace.note('proxyStarts', time.nowMs, number, shards, this.sessions)
  }

  /** A datagram of a client: each address belongs to one shard. */
  fromClient (datagram: Datagram): void {
    const { length } = this.shards
    this.shards[(Math.imul(datagram.source.id + 1, 0x9e3779b1) >>> 8) % length]!.sockets.fromClient(datagram)
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

  /** Whether a token can be redeemed anywhere. */
  worksAnywhere (token: Token): boolean {
    const { length } = this.#surroundings.profile.config.dataPorts
    return this.shards.some(shard => {
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
    trace.note('proxyCrashes', time.nowMs, this.number, this.sessions, this.shards[0]!.core.state.tokens.size)
    this.isAlive = false
    this.#crashedMs = time.nowMs
    this.#clock.stop()
    for (const tell of [...this.onCrash]) tell()
    this.onCrash.clear()
  }
}

// Somebody sets the clock between two lives, an hour or more either way.
function wallOffsetOf (life: number): number {
  return (life % 3 - 1) * (life + 1) * 3_600_000
}

// A plant.
function talkative (handlers: RpcHandlers): RpcHandlers {
  return {
    ...handlers,
    listSessions: async input => {
      const page = await handlers.listSessions(input)
      return page.ok ? { ok: true, value: { ...page.value, total: '1' as unknown as number } } : page
    }
  }
}
