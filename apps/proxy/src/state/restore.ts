// Gives a core the sessions that the process before it had: same targets, same upstream sockets. Tokens come back the way
// they came, as grants (saved-tokens.ts).
import type { Clock } from '#core/clock.js'
import { formatAddress } from '#wire/address.js'
import { ADMITTED } from '../core/sessions/admission.js'
import { EndCause } from '../core/ledger/counters.js'
import { NO_LOCAL } from '../core/datagrams/local-addresses.js'
import { CLIENT_KEY_WORDS } from '../core/tables/session-table.js'
import type { CoreState } from '../core/datagrams/core-state.js'
import { shardOfClient } from '../shards/shard-of-client.js'
import { ImageKind } from './image-writer.js'
import { elapsedSince } from './moment.js'
import { SavedImages, type SavedSession } from './saved-images.js'
import type { SavedState } from './saved-state.js'

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

// What one former shard said, and by how much its time is to be moved to be that of this core.
interface Former {
  readonly images: SavedImages
  readonly shiftMs: number
}

/** Restores the sessions whose clients are this shard's and whose time is not over, each as idle as it was, the time away included. */
export function restoreSessions (state: CoreState, saved: SavedShards, { shard, shards, clock }: RestorePlace): RestoreReport {
  const now = clock.now()
  const isSamePlace = saved.shardCount === shards
  const formers = [...saved.shards].filter(([former]) => !isSamePlace || former === shard).map(([, { batches, lastMoment }]): Former => ({
    images: new SavedImages(batches),
    shiftMs: now - elapsedSince(lastMoment, saved.bootId, clock) - lastMoment.lifeMs
  }))
  if (isSamePlace || shard === 0) for (const { images } of formers) addCounters(state, images)
  const report = { sessions: 0, expired: 0, refused: 0, moved: 0 }
  const key = new Uint32Array(CLIENT_KEY_WORDS)
  for (const former of formers) {
    const { images, shiftMs } = former
    const slots = new Map<number, number>()
    for (const slot of images.slots(ImageKind.session)) {
      const session = images.session(slot)!
      if (!isSamePlace && shardOfClient(session.client, session.clientPort, shards) !== shard) continue
      if (now - (session.lastSeen + shiftMs) > state.options.sessionTimeoutMs) {
        report.expired++
        continue
      }
      key.set(session.client)
      key[CLIENT_KEY_WORDS - 1] = session.clientPort
      const restored = restoreSession(state, former, session, key, now)
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

function restoreSession (state: CoreState, { images, shiftMs }: Former, session: SavedSession, key: Uint32Array, now: number): number {
  const { targetId, origin, hasRedeemed, token, tokenExpiresAt, past } = session
  const spec = images.target(targetId)
  const target = spec === undefined ? 'INVALID_TARGET' : state.targets.hold(spec)
  if (typeof target === 'string') return -1
  // No time is ahead of us, whatever a log says.
  const lastSeen = Math.min(now, session.lastSeen + shiftMs)
  const isWelcome = state.sessions.find(key) < 0 && state.admission.refuseStranger(key) === ADMITTED
  const slot = isWelcome ? state.createSession(key, target, origin, lastSeen) : -1
  state.targets.release(target.id)
  if (slot < 0) return slot
  if (hasRedeemed) state.promote(slot)
  state.sessions.restore(slot, { ...past, createdAt: Math.min(lastSeen, past.createdAt + shiftMs) })
  // 0 stands for none.
  if (tokenExpiresAt !== 0) state.sessions.setToken(slot, token, tokenExpiresAt + shiftMs)
  return slot
}

// Pairs first come back for those who had them; then the engine opens the sockets they name, on the ports they had.
function restoreFlows (state: CoreState, images: SavedImages, slots: ReadonlyMap<number, number>, now: number): void {
  const { flows, sessions, upstreamPorts, locals } = state
  const saved = Array.from(images.slots(ImageKind.flow), slot => images.flow(slot)!)
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
