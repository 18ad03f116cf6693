// A simulated host of a shard: the product's shard over a simulated engine, as a thread of its own would have it. Every call
// passes the ledger on its way out, which notes what the shard was asked and said.
import { eventKinds, type TokenGrant } from '#rpc/contract.js'
import { whole, type Slices } from '#core/slices.js'
import { ADDRESS_WORDS } from '#wire/address.js'
import { TOKEN_WORDS, tokenFromWords, type Token } from '#wire/token.js'
import { coreOptions } from '../../apps/proxy/src/shards/body/core-options.js'
import type { ShardStart } from '../../apps/proxy/src/shards/body/shard-start.js'
import type { Core } from '../../apps/proxy/src/core/core.js'
import type { CoreOptions } from '../../apps/proxy/src/core/datagrams/options.js'
import { SEEN_ELSEWHERE_MS } from '../../apps/proxy/src/core/sessions/elsewhere.js'
import type { TargetSpec } from '../../apps/proxy/src/core/tables/target-table.js'
import { Voidness, type TokenState } from '../../apps/proxy/src/core/tables/token-table.js'
import type { ShardCallTable } from '../../apps/proxy/src/shards/calls/call-runner.js'
import { shardOfClient } from '../../apps/proxy/src/engines/shard-of-client.js'
import { LocalHost } from '../../apps/proxy/src/shards/hosts/local-shard.js'
import { ShardBody } from '../../apps/proxy/src/shards/body/shard-body.js'
import type { ShardEvent, ShardVoice } from '../../apps/proxy/src/shards/journal/shard-voice.js'
import type { Shard, ShardCall, ShardCalls } from '../../apps/proxy/src/shards/calls/shard.js'
import type { Translator } from '../../apps/proxy/src/shards/calls/translate.js'
import { NO_CLAIM, type SavedTokens } from '../../apps/proxy/src/state/saved-tokens.js'
import type { StateFile, StateStorage } from '../../apps/proxy/src/state/files/state-storage.js'
import { addressFromText, isSamePlace, type Address } from '../cast/address-book.js'
import { SimEngine } from '../platform/engine.js'
import { plantInCore } from './plant-in-core.js'
import type { Bound } from '../checks/invariants.js'
import type { Redemptions, Word } from '../checks/ledger-entries.js'
import { HeldBook } from '../checks/held-book.js'
import { ShardLedger, type FormerLife } from '../checks/ledger.js'
import type { ProcessClock } from '../platform/process-clock.js'
import type { Surroundings } from '../platform/surroundings.js'
import { tokenWords } from '../cast/token-words.js'
import { numberOfAnswer, numberOfShardCall } from '../checks/trace-words.js'

export interface SimShardOptions {
  readonly surroundings: Surroundings
  /** Number of the director that it is of. */
  readonly director: number
  readonly clock: ProcessClock
  readonly start: ShardStart
  readonly voice: ShardVoice
  readonly redemptions: Redemptions
  readonly openPort: (engine: SimEngine, socketNumber: number, wanted: number) => number
  readonly closePort: (port: number) => void
  readonly isAlive: () => boolean
  readonly storage: StateStorage
  /** The life before, if there was one. */
  readonly former: FormerLife | undefined
}

const anybody = new Uint32Array(ADDRESS_WORDS)

export class SimShard implements Shard {
  readonly dataPorts
  readonly core: Core
  readonly ledger: ShardLedger
  readonly held: HeldBook
  readonly sockets: SimEngine
  readonly #options: SimShardOptions
  readonly #host: LocalHost
  readonly #translator: Translator
  #calls: ShardCallTable | undefined
  readonly #addressOfId = new Map<string, Address>()
  // Messages to and from a thread keep their order.
  #inDueMs = 0
  #outDueMs = 0
  // Candidates of the default endpoint, until the rest of them has come.
  readonly #offered: TargetSpec[] = []
  #areOfferedAll = true

  constructor (options: SimShardOptions) {
    const { surroundings, clock, redemptions, voice, start: { config } } = options
    this.#options = options
    this.dataPorts = config.dataPorts.map(({ name, port }) => ({ name, port, address: '::', receiveBufferBytes: 0 }))
    this.ledger = new ShardLedger({ ...config, ...config.limits, sessionTimeoutMs: config.sessionTimeoutSeconds * 1000, isShared: config.sharedState !== undefined }, surroundings.time, redemptions, surroundings.watch)
    this.held = new HeldBook(surroundings.watch)
    const storage = surroundings.plant === 'stateWrittenLate' ? forgetful(options.storage) : options.storage
    const body = new ShardBody({ start: this.#planted(), clock, voice: { ...voice, publish: event => { this.#say(event) } }, core: this.#coreOptions(), storage })
    const { core } = body
    this.core = core
    core.state.ownSources.setDataPorts(this.dataPorts.map(({ port }) => port))
    this.#translator = body.translator
    this.sockets = new SimEngine({ ...options, ...body.wiring, ledger: this.ledger, held: this.held, beforeSend: body.wiring.beforeSend! })
    plantInCore(core, surroundings.plant)
    this.#takeOver()
    const engine = {
      dataPorts: this.dataPorts,
      upstreamSockets: () => this.sockets.upstreamSockets(),
      receiveDrops: () => [],
      sendHeld: (flow: number, dataPort: number, bytes: Uint8Array) => { this.sockets.sendHeld(flow, dataPort, bytes) },
      flushHeld: () => undefined,
      sweep: () => this.sockets.sweep()
    }
    body.attach(engine, calls => this.#watched(calls))
    this.#host = new LocalHost(body, clock)
  }

  readonly call = async <Name extends ShardCall> (name: Name, ...args: Parameters<ShardCalls[Name]>): Promise<ReturnType<ShardCalls[Name]>> => {
    const { random, time } = this.#options.surroundings
    const mostShardDelayMs = this.#mostDelayMs
    return await new Promise(resolve => {
      if (mostShardDelayMs === 0) {
        this.#run(name, args, resolve)
        return
      }
      this.#inDueMs = Math.max(this.#inDueMs, time.nowMs + random.between(0, mostShardDelayMs))
      time.plan(this.#inDueMs - time.nowMs, () => {
        if (!this.#options.isAlive()) return
        this.#run(name, args, answer => { this.#later(() => { resolve(answer) }) })
      }, false)
    })
  }

  readonly close = async (): Promise<void> => { await Promise.resolve() }

  /** What presenting a token here would mean. */
  tokenState (token: Token, dataPort: number): TokenState {
    const { tokens } = this.core.state
    return tokens.stateOf(tokens.find(tokenWords(token)), dataPort, anybody, this.#options.clock.now())
  }

  /** Looks at everything there is: costs what is in the tables. */
  scan (): void {
    const { surroundings: { shared }, director } = this.#options
    this.ledger.compare(this.sockets.places())
    if (shared !== undefined) for (const entry of this.ledger.entries.values()) shared.looked(director, entry)
    this.sockets.balanceOfCounters()
  }

  * bounds (): Iterable<Bound> {
    const { config: { limits, dataPorts }, shards } = this.#options.start
    const { sessions, tokens, targets, flows } = this.core.state
    const mostSessions = Math.ceil(limits.maxSessions / shards)
    yield { of: 'sessions of a shard', size: sessions.size, most: mostSessions }
    yield { of: 'tokens of a shard', size: tokens.size, most: limits.maxTokens }
    yield { of: 'targets of a shard', size: targets.size, most: limits.maxTargets }
    yield { of: 'lingering flows', size: flows.lingering, most: mostSessions * dataPorts.length * 2 }
    // One of each family.
    yield { of: 'upstream sockets', size: this.sockets.upstreamSockets(), most: Math.ceil(limits.maxUpstreamSockets / shards) * 2 }
  }

  #watched (calls: ShardCallTable): ShardCallTable {
    const { clock, surroundings: { plant } } = this.#options
    this.#calls = calls
    // The ledger learns of redemptions and sessions from their events, whoever else reads them.
    void calls.setEventKinds(eventKinds)
    return {
      ...calls,
      setEventKinds: () => undefined,
      // The ledger looks at every session when one has left: it knows of no time between.
      leaveTargets: gone => inOneGo(calls.leaveTargets(gone), clock.now()),
      setDefaultTargets: (targets, more) => inOneGo(calls.setDefaultTargets(targets, more), clock.now()),
      ...plant === 'stateWrittenLate' ? { saveState: () => ({ isComplete: true, status: 'written' as const }) } : {}
    }
  }

  #coreOptions (): CoreOptions {
    const { surroundings: { profile: { slice }, random, plant }, start } = this.#options
    const options = { ...coreOptions(start, random.next), slice }
    if (plant === 'claimsNotShared') return { ...options, claims: start.claims?.slice() }
    const { limits } = options
    if (plant === 'boundOffByOne') return { ...options, limits: { ...limits, maxSessions: limits.maxSessions + 1 } }
    if (plant === 'repliesUnbounded') return { ...options, limits: { ...limits, amplificationFactor: 0 } }
    if (plant === 'pairsDoNotLinger') return { ...options, limits: { ...limits, upstreamLingerMs: 0 } }
    return options
  }

  #run<Name extends ShardCall> (name: Name, args: Parameters<ShardCalls[Name]>, done: (answer: ReturnType<ShardCalls[Name]>) => void): void {
    const { surroundings: { trace, time }, start: { shard } } = this.#options
    const given = this.#plantedIn(name, args) as typeof args
    if (name === 'answerAsks') this.#beAnswered(...given as Parameters<ShardCalls['answerAsks']>)
    this.#host.run(name, given, answer => {
      if (name !== 'takeChangedCounts' && name !== 'saveState') trace.note('shard', time.nowMs, shard, numberOfShardCall[name], this.core.state.sessions.size)
      this.#enter(name, args, answer)
      done(answer)
    })
  }

  // Sessions and tokens of the life before this one.
  #takeOver (): void {
    const { former, start, surroundings: { plant }, clock } = this.#options
    const { state, operations } = this.core
    if (plant === 'restoredSessionDropped' && state.sessions.size > 0) this.#endFirst(clock.now())
    this.sockets.reopen()
    for (let slot = 0; slot < state.sessions.highWater; slot++) {
      if (state.sessions.isLive(slot)) this.#addressOfId.set(operations.idOf(slot), addressFromText(operations.clientOf(slot)))
    }
    if (former !== undefined) {
      const { sessions, targets, options: { limits } } = state
      this.ledger.inherit(former, {
        sessions: this.sockets.restored(),
        isOwn: ({ words, port }) => shardOfClient(words, port, start.shards) === start.shard,
        isSamePlace: former.ledgers.length === start.shards,
        isFull: sessions.isFull || targets.size >= limits.maxTargets
      })
    }
    if (start.stateStart !== undefined) this.#enterRestored(start.stateStart.tokens)
  }

  // What a call has done to who may hear whom.
  #enter (name: ShardCall, args: readonly unknown[], answer: unknown): void {
    if (name === 'applyTokens') this.#enterTokens(...args as Parameters<ShardCalls['applyTokens']>, answer as ReturnType<ShardCalls['applyTokens']>)
    else if (name === 'setDefaultTargets') {
      const [targets, more] = args as Parameters<ShardCalls['setDefaultTargets']>
      const faults = answer as ReturnType<ShardCalls['setDefaultTargets']>
      this.#offered.push(...targets.filter(({ key }) => faults[key] === undefined).map(target => this.#translator.targetSpec(target)))
      this.#areOfferedAll &&= Object.keys(faults).length === 0
      if (!more) {
        this.ledger.candidates = this.#offered.splice(0)
        this.ledger.areCandidatesAll = this.#areOfferedAll
        this.#areOfferedAll = true
      }
    } else if (name === 'leaveTargets') {
      const [gone] = args as Parameters<ShardCalls['leaveTargets']>
      this.ledger.left(new Map(gone.map(({ key, stays }) => [key, stays && this.#translator.targetSpec(stays)])), address => this.sockets.placeOf(address))
      this.scan()
    } else if (name === 'openAsks') this.ledger.areAsksHeard = args[0] as boolean
    else if (name === 'tellElsewhere') {
      this.#tellElsewhere(...args as Parameters<ShardCalls['tellElsewhere']>)
      this.scan()
    } else if (name === 'moveSession' || name === 'endSession') {
      const [id, target] = args as Parameters<ShardCalls['moveSession']>
      const { ok } = answer as ReturnType<ShardCalls['moveSession']>
      const address = this.#addressOfId.get(id)
      if (ok && name === 'moveSession') this.ledger.moved(address?.id ?? -1, this.#translator.targetSpec(target))
      else if (ok) this.ledger.ended(address?.id ?? -1)
      this.scan()
    }
  }

  // What control says of those who wait, before the shard acts on it.
  #beAnswered (answers: Parameters<ShardCalls['answerAsks']>[0]): void {
    const { surroundings: { shared, time, trace, plant }, director, clock } = this.#options
    for (const answer of answers) {
      const word = this.#wordOf(answer)
      const ask = this.held.answered(answer.id, word)
      if (ask === undefined) continue
      if (answer.grant !== undefined) this.#enterGrant(answer.grant)
      if (plant === 'restsAfterAll') this.core.state.asking.resting.add(ask.address.key, clock.now())
      trace.note('answer', time.nowMs, director, ask.address.id, numberOfAnswer[answer.verdict])
      shared?.said(director, ask, word, answer.reason)
    }
  }

  #wordOf ({ verdict, grant, session }: Parameters<ShardCalls['answerAsks']>[0][number]): Word {
    const { nowMs } = this.#options.surroundings.time
    return {
      verdict,
      isRefused: verdict === 'refused',
      grant: grant && { place: this.#translator.targetSpec(grant.target), untilMs: nowMs + grant.ttlMs, isVoid: false },
      session: session && { place: this.#translator.targetSpec(session.target), token: session.token as Token | undefined, tokenUntilMs: nowMs + (session.tokenTtlMs ?? 0) }
    }
  }

  #tellElsewhere (clients: Parameters<ShardCalls['tellElsewhere']>[0]): void {
    for (const { client, change, target } of clients) {
      const { id } = addressFromText(client)
      const entry = this.ledger.entryOf(id)
      const place = target && this.#translator.targetSpec(target)
      if (entry === undefined) continue
      if (change === 'seen') this.ledger.seenElsewhere(id, SEEN_ELSEWHERE_MS)
      else if (change === 'ended') this.ledger.ended(id)
      // Without room for the target it stays where it is.
      else if (place !== undefined && isSamePlace(this.sockets.placeOf(entry.address), place)) this.ledger.moved(id, place)
    }
  }

  #enterTokens ({ revoked, withdrawn = [], tokens }: Parameters<ShardCalls['applyTokens']>[0], rejections: ReturnType<ShardCalls['applyTokens']>): void {
    for (const token of [...revoked, ...withdrawn]) this.ledger.madeVoid(token as Token)
    const rejected = new Set(rejections.map(({ token }) => token))
    for (const grant of tokens) if (!rejected.has(grant.token)) this.#enterGrant(grant)
  }

  #enterGrant ({ token, target, ttlMs, consumed = [] }: TokenGrant): void {
    const names = this.dataPorts.map(({ name }) => name)
    this.ledger.granted(token as Token, this.#translator.targetSpec(target), ttlMs, consumed.map(name => names.indexOf(name)))
  }

  #enterRestored ({ numbers, voidness, ttlMs, consumed, targets, specs, claims }: SavedTokens): void {
    for (const [row, leftMs] of ttlMs.entries()) {
      const token = tokenFromWords(numbers, row * TOKEN_WORDS)
      const target = specs[targets[row]!]
      if (voidness[row] !== Voidness.none) this.ledger.madeVoid(token)
      else if (target !== undefined && leftMs >= 1 && claims?.[row] !== NO_CLAIM) this.ledger.granted(token, target, leftMs, [...this.dataPorts.keys()].filter(dataPort => (consumed[row]! >>> dataPort & 1) === 1))
    }
  }

  get #mostDelayMs (): number {
    const { surroundings: { profile }, start: { shards } } = this.#options
    return shards === 1 ? 0 : profile.mostShardDelayMs
  }

  #planted (): ShardStart {
    const { surroundings: { plant }, start } = this.#options
    const { stateStart, shards } = start
    return plant !== 'shardsNotDealtAnew' || stateStart === undefined ? start : { ...start, stateStart: { ...stateStart, saved: { ...stateStart.saved, shardCount: shards } } }
  }

  #plantedIn (name: ShardCall, args: readonly unknown[]): readonly unknown[] {
    const { surroundings: { plant }, start: { shard, shards, claims }, clock } = this.#options
    if (plant === undefined) return args
    if (name === 'sweep' && plant === 'claimsForgotten') claims?.fill(0)
    if (name === 'moveSession' && plant === 'movesTooMany') this.#moveAnother(...args as Parameters<ShardCalls['moveSession']>)
    if (name === 'leaveTargets' && plant === 'wrongSessionsLeave') this.#endAny(clock.now())
    if (name === 'setDraining' && args[0] === true && plant === 'drainEndsSessions') this.#endAny(clock.now())
    if (name === 'answerAsks' && plant === 'lateIsUnknown') return [args[0] as Parameters<ShardCalls['answerAsks']>[0]].map(answers => answers.map(answer => answer.verdict === 'late' ? { id: answer.id, verdict: 'refused', reason: 'unknown' } : answer))
    if (name === 'tellElsewhere' && plant === 'takeOverEnds') return [args[0] as Parameters<ShardCalls['tellElsewhere']>[0]].map(clients => clients.map(told => told.change === 'seen' ? { ...told, change: 'ended' } : told))
    if (name !== 'applyTokens') return args
    const [push] = args as Parameters<ShardCalls['applyTokens']>
    const { tokens, revoked } = push
    if (plant === 'ttlIgnored') return [{ ...push, tokens: tokens.map(grant => ({ ...grant, ttlMs: 3_600_000 })) }]
    if (plant === 'ttlHalved') return [{ ...push, tokens: tokens.map(grant => ({ ...grant, ttlMs: Math.ceil(grant.ttlMs / 2) })) }]
    if (plant === 'lastGrantLost') return [{ ...push, tokens: tokens.slice(0, -1) }]
    if (plant === 'shardForgotten' && shard === shards - 1) return [{ ...push, tokens: [] }]
    if (plant === 'revocationLost') return [{ ...push, revoked: [] }]
    if (plant === 'revocationOnFirstShard' && shard > 0) return [{ ...push, revoked: revoked.slice(0, 0) }]
    return args
  }

  #moveAnother (id: string, target: Parameters<ShardCalls['moveSession']>[1]): void {
    const { state, operations } = this.core
    for (let slot = 0; slot < state.sessions.highWater; slot++) {
      if (state.sessions.isLive(slot) && operations.idOf(slot) !== id) this.#calls?.moveSession(operations.idOf(slot), target)
    }
  }

  #endAny (now: number): void {
    const { state, operations } = this.core
    for (let slot = 0; slot < state.sessions.highWater; slot++) {
      if (state.sessions.isLive(slot)) operations.endSession(slot, now)
    }
  }

  #endFirst (now: number): void {
    const { state, operations } = this.core
    let slot = 0
    while (!state.sessions.isLive(slot)) slot++
    operations.endSession(slot, now)
  }

  #say (event: ShardEvent): void {
    const { voice } = this.#options
    this.#hear(event)
    if (this.#mostDelayMs === 0) voice.publish(event)
    else this.#later(() => { voice.publish(event) })
  }

  // The ledger hears of redemptions and of the ids of sessions at their source.
  #hear (event: ShardEvent): void {
    const { surroundings: { shared, time }, director } = this.#options
    if (event.type === 'session') {
      if (event.change === 'established') this.#addressOfId.set(event.sessionId, addressFromText(event.client))
    } else if (event.type === 'redeemed') {
      const dataPort = this.dataPorts.findIndex(({ name }) => name === event.dataPort)
      this.#options.surroundings.watch.hold('callsFitTheContract', dataPort >= 0, `data port ${event.dataPort}`)
      this.ledger.redeemed(event.token as Token, dataPort)
      shared?.redeemed(director, event.token as Token, dataPort, this.sockets.judged!.source, this.ledger.hasWord)
    } else if (event.type === 'asked') this.held.asked({ ...event, askedMs: time.nowMs })
    else if (event.type === 'binding' && event.change !== 'expired' && event.change !== 'ended') shared?.bound(director, addressFromText(event.binding.client), this.#translator.targetSpec(event.binding.target))
  }

  #later (run: () => void): void {
    const { surroundings: { random, time }, isAlive } = this.#options
    this.#outDueMs = Math.max(this.#outDueMs, time.nowMs + random.between(0, this.#mostDelayMs))
    time.plan(this.#outDueMs - time.nowMs, () => { if (isAlive()) run() }, true)
  }
}

// Takes the first batch of a log, which says what there is at the start, and nothing of what comes later.
function forgetful (storage: StateStorage): StateStorage {
  const create = (name: string): StateFile => {
    const file = storage.create(name)
    let isBegun = false
    const append = (bytes: Uint8Array): void => {
      if (!isBegun) file.append(bytes)
      isBegun = true
    }
    return { ...file, room: Infinity, get written () { return file.written }, append }
  }
  return { list: () => storage.list(), read: name => storage.read(name), create, remove: name => { storage.remove(name) }, removeAllOf: (shard, from) => { storage.removeAllOf(shard, from) } }
}

function inOneGo<Value> (answer: Value | Slices<Value>, now: number): Value {
  return typeof answer === 'object' && answer !== null && 'next' in answer ? whole(answer, now) : answer
}
