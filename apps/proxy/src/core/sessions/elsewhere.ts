// What other replicas tell of clients that have a session here, too, and what they are told of the sessions here.
import { EndCause } from '../ledger/counters.js'
import { Origin } from '../tables/session-table.js'
import type { HeldTarget, TargetSpec } from '../tables/target-table.js'
import { TOKEN_WORDS } from '#wire/token.js'
import { ADDRESS_WORDS } from '#wire/address.js'
import type { SessionState } from './session-state.js'

/** How long a session goes on whose client is served by another replica, in ms. */
export const SEEN_ELSEWHERE_MS = 30_000

/** Sessions looked at for one page of bindings, at most. */
const LOOKS = 20_000

/** What happened at another replica to a client. */
export interface Elsewhere {
  /** Address words and port: `CLIENT_KEY_WORDS` of them. */
  readonly client: Uint32Array
  /** `moved`: its session has another target. `ended`: it is over. `seen`: its datagrams come there now. */
  readonly change: 'moved' | 'ended' | 'seen'
  /** With `moved`. */
  readonly target?: TargetSpec | undefined
}

/** A session that has redeemed a token, as other replicas know it. */
export interface BindingView {
  readonly clientWords: Uint32Array
  readonly clientPort: number
  readonly target: HeldTarget
  /** The number of the token it was last bound with, and what is left of its life in ms; undefined if that is over. */
  readonly token: Uint32Array | undefined
  readonly tokenTtlMs: number
  /** Bit i is set if that token was redeemed here on data port i. */
  readonly consumed: number
  readonly idleMs: number
}

export interface BindingsPage {
  readonly bindings: readonly BindingView[]
  /** Where the next page begins; undefined after the last. A page may have fewer than asked for, or none, and not be the last. */
  readonly nextCursor: number | undefined
}

/** What `bindings` is given. */
export interface BindingsQuery {
  readonly cursor: number
  readonly limit: number
  /** Only sessions that were active within this time, in ms. */
  readonly activeWithinMs: number
}

/** Does what other replicas told. Returns how many of these clients have a session here. */
export function tellElsewhere (state: SessionState, items: readonly Elsewhere[], now: number): number {
  let known = 0
  for (const item of items) {
    const slot = state.liveSession(item.client, now)
    if (slot < 0) continue
    known++
    if (item.change === 'seen') seen(state, slot, now)
    else if (item.change === 'ended') state.endSession(slot, EndCause.elsewhere, now)
    else if (item.target !== undefined) moved(state, slot, item.target, now)
  }
  return known
}

// It ends in a while, unless its client comes back.
function seen (state: SessionState, slot: number, now: number): void {
  const lastSeen = now + SEEN_ELSEWHERE_MS - state.options.sessionTimeoutMs
  if (lastSeen < state.lastSeen(slot)) state.sessions.setLastSeen(slot, lastSeen)
}

// A target that there is no room for changes nothing: the session goes on, as it would if the word had been lost.
function moved (state: SessionState, slot: number, spec: TargetSpec, now: number): void {
  const target = state.targets.hold(spec)
  if (typeof target === 'string') return
  state.promote(slot)
  state.moveSession(slot, target, Origin.token, now, true)
  state.targets.release(target.id)
}

/** The session in `slot` as other replicas know it. */
export function bindingOf (state: SessionState, slot: number, now: number): BindingView {
  const { sessions, targets, tokens } = state
  const token = new Uint32Array(TOKEN_WORDS)
  const tokenTtlMs = Math.ceil(sessions.readToken(slot, token) - now)
  const known = tokenTtlMs > 0 ? tokens.find(token) : -1
  return {
    clientWords: sessions.clientWords(slot).slice(0, ADDRESS_WORDS),
    clientPort: sessions.clientPort(slot),
    target: targets.get(sessions.target(slot)),
    token: tokenTtlMs > 0 ? token : undefined,
    tokenTtlMs: Math.max(0, tokenTtlMs),
    consumed: known < 0 ? 0 : tokens.consumedOn(known),
    idleMs: Math.max(0, Math.round(now - state.lastSeen(slot)))
  }
}

/** A page of the sessions that have redeemed a token. Looks at a bounded number of them: no slices are needed. */
export function bindingsOf (state: SessionState, { cursor, limit, activeWithinMs }: BindingsQuery, now: number): BindingsPage {
  const { sessions } = state
  const bindings: BindingView[] = []
  const end = Math.min(sessions.highWater, cursor + LOOKS)
  let slot = cursor
  for (; slot < end && bindings.length < limit; slot++) {
    if (!state.isLive(slot, now) || !sessions.hasRedeemed(slot) || now - state.lastSeen(slot) > activeWithinMs) continue
    bindings.push(bindingOf(state, slot, now))
  }
  return { bindings, nextCursor: slot < sessions.highWater ? slot : undefined }
}
