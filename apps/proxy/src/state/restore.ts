// Gives a core what the process before it had, in the core's own words: sessions with the same targets and the same upstream
// sockets, and tokens.
import type { Clock } from '#core/clock.js'
import { ADDRESS_WORDS, formatAddress, isIPv4Words } from '#wire/address.js'
import { TOKEN_WORDS } from '#wire/token.js'
import type { CoreState } from '../core/datagrams/core-state.js'
import { NO_LOCAL } from '../core/datagrams/local-addresses.js'
import { EndCause } from '../core/ledger/counters.js'
import { ADMITTED } from '../core/sessions/admission.js'
import { CLIENT_KEY_WORDS, pastFields, sessionPast, type PastField, type SessionPast } from '../core/tables/session-table.js'
import { Voidness } from '../core/tables/token-table.js'
import type { HeldTarget, TargetFault, TargetSpec, TargetTable } from '../core/tables/target-table.js'
import { shardOfClient } from '../engines/shard-of-client.js'
import { addCounter, FLOW, hasRedeemed, LOCAL_ADDRESS, NOBODY, originFrom, SEEN, SESSION, UPSTREAM_PORT } from './format/layout.js'
import { elapsedSince } from './format/moment.js'
import { SavedImages } from './format/saved-images.js'
import type { SavedState } from './saved-state.js'
import { NO_CLAIM, type SavedTokens } from './saved-tokens.js'

/** What is handed to a shard of what was saved. */
export type SavedShards = Pick<SavedState, 'shards' | 'shardCount' | 'bootId'>

export interface RestorePlace {
  readonly shard: number
  readonly shards: number
  readonly clock: Pick<Clock, 'now' | 'boot' | 'wallNow'>
}

export interface RestoreReport {
  readonly sessions: number
  /** Sessions that were idle for too long, the time away included. */
  readonly expired: number
  /** Sessions that could not be taken over: bounds are lower now, or their clients are not admitted any more. */
  readonly refused: number
  /** Sessions whose game server sees another port from now on: the number of workers has changed. */
  readonly moved: number
}

// Slots are below this: each is 32 bits of an image's head.
const SLOTS = 2 ** 32

// How long a client is still told what became of its token, after a restart, in ms.
const WITHDRAWN_MEMORY_MS = 60_000

// What one former shard said, and by how much its time is to be moved to be that of this core.
interface Former {
  readonly images: SavedImages
  readonly targets: HeldTargets
  readonly shiftMs: number
}

/** Restores the sessions whose clients are this shard's and whose time is not over, each as idle as it was, the time away included. */
export function restoreSessions (state: CoreState, saved: SavedShards, { shard, shards, clock }: RestorePlace): RestoreReport {
  const now = clock.now()
  const isSamePlace = saved.shardCount === shards
  const formers = [...saved.shards].filter(([former]) => !isSamePlace || former === shard).map(([, { batches, lastMoment }]): Former => {
    const images = new SavedImages(batches)
    return { images, targets: new HeldTargets(state.targets, id => images.target(id)), shiftMs: now - elapsedSince(lastMoment, saved.bootId, clock) - lastMoment.lifeMs }
  })
  if (isSamePlace || shard === 0) for (const { images } of formers) addCounters(state, images)
  const client = new Uint32Array(CLIENT_KEY_WORDS)
  const report = { sessions: 0, expired: 0, refused: 0, moved: 0 }
  for (const former of formers) {
    const { images, shiftMs } = former
    const slots = new Map<number, number>()
    for (const slot of images.slots(SESSION.kind)) {
      const body = images.body(SESSION.kind, slot)
      readClient(images.view, body, client)
      if (!isSamePlace && shardOfClient(client, client[ADDRESS_WORDS]!, shards) !== shard) continue
      const lastSeen = lastSeenOf(images, slot) + shiftMs
      if (now - lastSeen > state.options.sessionTimeoutMs) {
        report.expired++
        continue
      }
      // No time is ahead of us, whatever a log says.
      const restored = restoreSession(state, former, body, client, Math.min(now, lastSeen))
      if (restored < 0) report.refused++
      else slots.set(slot, restored)
    }
    report.sessions += slots.size
    if (isSamePlace) restoreFlows(state, images, slots, now)
    else report.moved += slots.size
  }
  state.counters.sessionsEnded[EndCause.timeout]! += report.expired
  return report
}

/**
 * Restores the tokens whose time is not over; those that are void because their target is gone are remembered for a while.
 * What there is no room for is left out. Returns how many can be redeemed.
 */
export function restoreTokens ({ targets, tokens }: CoreState, saved: SavedTokens, now: number): number {
  const { numbers, voidness, ttlMs, consumed, clients, claims } = saved
  const held = new HeldTargets(targets, index => saved.specs[index])
  const number = new Uint32Array(TOKEN_WORDS)
  const client = new Uint32Array(ADDRESS_WORDS)
  let restored = 0
  for (let row = 0; row < ttlMs.length; row++) {
    if (voidness[row] !== Voidness.none || ttlMs[row]! < 1 || claims?.[row] === NO_CLAIM) continue
    const target = held.hold(saved.targets[row]!)
    if (typeof target === 'string') continue
    copyWords(numbers, row, number)
    copyWords(clients, row, client)
    const isAdded = tokens.add(number, target.id, consumed[row]!, now + ttlMs[row]!, now, claims?.[row], isSame(client, NOBODY) ? undefined : client)
    if (isAdded) restored++
    else targets.release(target.id)
  }
  // After all others: they are remembered only where there is room.
  for (let row = 0; row < ttlMs.length; row++) {
    if (voidness[row] !== Voidness.targetGone) continue
    copyWords(numbers, row, number)
    tokens.remember(number, now + WITHDRAWN_MEMORY_MS)
  }
  return restored
}

function copyWords (from: Uint32Array, row: number, to: Uint32Array): void {
  for (let word = 0; word < to.length; word++) to[word] = from[row * to.length + word]!
}

function readClient (view: DataView, body: number, key: Uint32Array): void {
  SESSION.read.client(view, body, key)
  key[ADDRESS_WORDS] = SESSION.read.clientPort(view, body)
}

// Whichever was written later; what was seen of a former tenant of the slot is older than its present one.
function lastSeenOf (images: SavedImages, slot: number): number {
  const ofSession = SESSION.read.lastSeen(images.view, images.body(SESSION.kind, slot))
  const seen = images.body(SEEN.kind, slot)
  return seen === 0 ? ofSession : Math.max(ofSession, SEEN.read.lastSeen(images.view, seen))
}

// Targets by their number in a log. Most are held again and again; one that has come and not gone is known by its id.
class HeldTargets {
  readonly #table: TargetTable
  readonly #specOf: (number: number) => TargetSpec | undefined
  readonly #known = new Map<number, HeldTarget>()

  constructor (table: TargetTable, specOf: (number: number) => TargetSpec | undefined) {
    this.#table = table
    this.#specOf = specOf
  }

  /** Every hold needs one `release`. */
  hold (number: number): HeldTarget | TargetFault {
    const known = this.#known.get(number)
    if (known !== undefined && this.#table.find(known.id) === known) {
      this.#table.holdId(known.id)
      return known
    }
    const spec = this.#specOf(number)
    const target = spec === undefined ? 'INVALID_TARGET' : this.#table.hold(spec)
    if (typeof target !== 'string') this.#known.set(number, target)
    return target
  }
}

// Returns its slot, or -1.
function restoreSession (state: CoreState, { images: { view }, targets, shiftMs }: Former, body: number, client: Uint32Array, lastSeen: number): number {
  const { read } = SESSION
  const target = targets.hold(read.target(view, body))
  if (typeof target === 'string') return -1
  const origin = read.origin(view, body)
  const isWelcome = state.sessions.find(client) < 0 && state.admission.refuseStranger(client) === ADMITTED
  const slot = isWelcome ? state.createSession(client, target, originFrom(origin), lastSeen) : -1
  state.targets.release(target.id)
  if (slot < 0) return slot
  if (hasRedeemed(origin)) state.promote(slot)
  state.sessions.restore(slot, pastOf(view, body, shiftMs, lastSeen))
  const tokenExpiresAt = read.tokenExpiresAt(view, body)
  if (tokenExpiresAt !== 0) {
    const token = new Uint32Array(TOKEN_WORDS)
    read.token(view, body, token)
    state.sessions.setToken(slot, token, tokenExpiresAt + shiftMs)
  }
  return slot
}

// Filled in for one session after the other.
const past = Object.fromEntries(pastFields.map(field => [field, 0])) as Record<PastField, number>

// Nothing of a session's past is later than when it was last seen.
function pastOf (view: DataView, body: number, shiftMs: number, lastSeen: number): SessionPast {
  for (const field of pastFields) {
    const value = SESSION.read[field](view, body)
    past[field] = sessionPast[field] === 'time' ? Math.min(lastSeen, value + shiftMs) : value
  }
  return past
}

// First the flows come back for those who had them; then the engine opens the sockets that they name, on the ports they had.
function restoreFlows (state: CoreState, images: SavedImages, slots: ReadonlyMap<number, number>, now: number): void {
  const { flows, upstreamPorts } = state
  for (const flow of inOrderOfSockets(images)) restoreFlow(state, images, flow, slots, now)
  for (const slot of images.slots(UPSTREAM_PORT.kind)) {
    if (flows.usesOfSocket(slot >> 1) > 0) upstreamPorts.set(slot >> 1, slot % 2 === 0, UPSTREAM_PORT.read.port(images.view, images.body(UPSTREAM_PORT.kind, slot)))
  }
}

// As the flow table wants them, and those of one socket by their slots.
function inOrderOfSockets (images: SavedImages): Float64Array {
  const keys = Float64Array.from(images.slots(FLOW.kind), slot => FLOW.read.socket(images.view, images.body(FLOW.kind, slot)) * SLOTS + slot)
  return keys.sort().map(key => key % SLOTS)
}

function restoreFlow (state: CoreState, images: SavedImages, flow: number, slots: ReadonlyMap<number, number>, now: number): void {
  const { flows, sessions, targets } = state
  const { view } = images
  const { read } = FLOW
  const body = images.body(FLOW.kind, flow)
  const [dataPort, port] = [read.dataPort(view, body), read.port(view, body)]
  const words = new Uint32Array(ADDRESS_WORDS)
  read.address(view, body, words)
  const owner = slots.get(read.session(view, body)) ?? -1
  const slot = owner >= 0 && leadsToTarget(state, owner, dataPort, words, port) ? owner : -1
  const target = slot < 0 ? { words, address: formatAddress(words), isIPv4: isIPv4Words(words) } : targets.get(sessions.target(slot))
  const first = slot < 0 ? -1 : sessions.firstFlow(slot)
  const restored = flows.restore(slot, dataPort, target, port, read.socket(view, body), first, now, localOf(state, images, read.local(view, body)))
  if (restored >= 0 && slot >= 0) sessions.setFirstFlow(slot, restored)
}

// The number that an address of this host has now.
function localOf ({ locals }: CoreState, images: SavedImages, local: number): number {
  const body = images.body(LOCAL_ADDRESS.kind, local)
  if (body === 0) return NO_LOCAL
  const words = new Uint32Array(ADDRESS_WORDS)
  LOCAL_ADDRESS.read.address(images.view, body, words)
  return locals.intern(words, LOCAL_ADDRESS.read.zone(images.view, body))
}

// It does in every log that is right. One that is wrong must not send a session's datagrams to somebody else's target.
function leadsToTarget ({ sessions, targets, flows }: CoreState, slot: number, dataPort: number, address: Uint32Array, port: number): boolean {
  const { words, ports } = targets.get(sessions.target(slot))
  return ports[dataPort] === port && isSame(words, address) && flows.findInList(sessions.firstFlow(slot), dataPort) < 0
}

function isSame (one: Uint32Array, other: Uint32Array): boolean {
  for (let word = 0; word < ADDRESS_WORDS; word++) if (one[word] !== other[word]) return false
  return true
}

function addCounters (state: CoreState, images: SavedImages): void {
  const { counters } = state
  for (const [name, values] of images.counters()) addCounter(name, values, counters[name])
  counters.settleInFlight()
}
