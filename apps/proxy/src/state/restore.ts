// Gives a core the sessions that the process before it had: same targets, same upstream sockets. Tokens come back the way
// they came, as grants (saved-tokens.ts).
import { formatAddress } from '#wire/address.js'
import { ADMITTED } from '../core/admission.js'
import { NO_LOCAL } from '../core/local-addresses.js'
import type { CoreState } from '../core/state.js'
import { shardOfClient } from '../shards/shard-of-client.js'
import { ImageKind } from './image-writer.js'
import { SavedImages, type SavedSession } from './saved-images.js'
import type { SavedState } from './saved-state.js'

/** What is handed to a shard of what was saved. */
export type SavedShards = Pick<SavedState, 'shards' | 'shardCount' | 'writtenAtMs'>

export interface RestorePlace {
  readonly shard: number
  readonly shards: number
  /** Of the core's clock, and the same moment on the wall clock; in ms. */
  readonly now: number
  readonly wallNow: number
}

export interface RestoreReport {
  readonly sessions: number
  /** Sessions that could not be taken over: bounds are lower now, or their clients are not admitted any more. */
  readonly refused: number
  /** Sessions whose game server sees another port from now on: the number of workers has changed. */
  readonly moved: number
}

/**
 * Restores the sessions whose clients are this shard's. Ones whose time was over while nobody was there are left out; all
 * others count as if seen when the state was last written.
 */
export function restoreSessions (state: CoreState, saved: SavedShards, place: RestorePlace): RestoreReport {
  const { shard, shards, now, wallNow } = place
  const absentMs = Math.max(0, wallNow - saved.writtenAtMs)
  const isSamePlace = saved.shardCount === shards
  const all = [...saved.shards].filter(([former]) => !isSamePlace || former === shard).map(([, batches]) => new SavedImages(batches))
  if (isSamePlace || shard === 0) for (const images of all) addCounters(state, images)
  if (absentMs > state.options.sessionTimeoutMs) return { sessions: 0, refused: 0, moved: 0 }
  const lastSeen = now - absentMs
  const toCore = (wallMs: number): number => wallMs - wallNow + now
  const report = { sessions: 0, refused: 0, moved: 0 }
  for (const images of all) {
    const slots = new Map<number, number>()
    for (const slot of images.slots(ImageKind.session)) {
      const session = images.session(slot)!
      if (!isSamePlace && shardOfClient(session.client, session.clientPort, shards) !== shard) continue
      const restored = restoreSession(state, images, session, lastSeen, toCore)
      if (restored < 0) report.refused++
      else slots.set(slot, restored)
    }
    report.sessions += slots.size
    if (isSamePlace) restoreFlows(state, images, slots, now)
    else report.moved += slots.size
  }
  return report
}

function restoreSession (state: CoreState, images: SavedImages, { client, clientPort, targetId, origin, hasRedeemed, token, tokenExpiresAtWallMs, past }: SavedSession, lastSeen: number, toCore: (wallMs: number) => number): number {
  const spec = images.target(targetId)
  const target = spec === undefined ? 'INVALID_TARGET' : state.targets.hold(spec)
  if (typeof target === 'string') return -1
  const key = Uint32Array.of(...client, clientPort)
  const isWelcome = state.sessions.find(key) < 0 && state.admission.refuseStranger(key) === ADMITTED
  const slot = isWelcome ? state.createSession(key, target, origin, lastSeen) : -1
  state.targets.release(target.id)
  if (slot < 0) return slot
  if (hasRedeemed) state.promote(slot)
  state.sessions.restore(slot, { ...past, createdAt: Math.min(lastSeen, toCore(past.createdAt)) })
  if (tokenExpiresAtWallMs > 0) state.sessions.setToken(slot, token, toCore(tokenExpiresAtWallMs))
  return slot
}

// Pairs first come back for those who had them; then the engine opens the sockets they name, on the ports they had.
function restoreFlows (state: CoreState, images: SavedImages, slots: ReadonlyMap<number, number>, now: number): void {
  const { flows, sessions, upstreamPorts, locals } = state
  const saved = [...images.slots(ImageKind.flow)].map(slot => images.flow(slot)!)
  for (const { session, dataPort, socket, target, port, local } of saved.sort((one, other) => one.socket - other.socket)) {
    const owner = slots.get(session) ?? -1
    const slot = owner >= 0 && leadsToTarget(state, owner, dataPort, target.address, port) ? owner : -1
    const from = images.localAddress(local)
    const flow = flows.restore(slot, dataPort, target, port, socket, slot < 0 ? -1 : sessions.firstFlow(slot), now, from === undefined ? NO_LOCAL : locals.intern(from.words, from.zone))
    if (flow >= 0 && slot >= 0) sessions.setFirstFlow(slot, flow)
  }
  for (const slot of images.slots(ImageKind.upstreamPort)) {
    if (flows.usesOfSocket(slot >> 1) > 0) upstreamPorts.set(slot >> 1, slot % 2 === 0, images.upstreamPort(slot))
  }
}

// No log says otherwise, unless something was wrong when it was written: datagrams must not go to another's target.
function leadsToTarget ({ sessions, targets, flows }: CoreState, slot: number, dataPort: number, address: string, port: number): boolean {
  const { words, ports } = targets.get(sessions.target(slot))
  return ports[dataPort] === port && formatAddress(words) === address && flows.findInList(sessions.firstFlow(slot), dataPort) < 0
}

function addCounters (state: CoreState, images: SavedImages): void {
  const { counters } = state
  for (const [name, values] of images.counters()) {
    // Of another length, its places mean something else: it was written by another version.
    if (values.length === counters[name].length) for (const [index, value] of values.entries()) counters[name][index]! += value
  }
  counters.settleInFlight()
}
