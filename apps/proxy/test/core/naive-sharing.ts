// What several directors make of the state table, written naively: queues, Maps and strings. The core must agree with it, datagram
// by datagram, whatever is answered when.
import type { StoreAnswer } from '#testkit/state-table/shared-scenarios.js'

export const DEADLINE_MS = 250
const REST_MS = 1000
const MOST_OF_ONE_CLIENT = 16

export interface SharingOptions {
  readonly sessionTimeoutMs: number
  readonly hasDefault: boolean
  readonly onInvalidToken: 'default' | 'drop'
  readonly heldDatagrams: number
  /** By target key: whether it has a port, by data port. */
  readonly ports: Readonly<Record<string, readonly boolean[]>>
}

export type SharedPacket = { readonly kind: 'data' } | { readonly kind: 'token' | 'control', readonly token: string }

interface Sent { readonly dataPort: number, readonly packet: SharedPacket, refused?: string }
interface Token { readonly target: string, readonly expiresAt: number, readonly consumed: Set<number> }
interface Session { target: string, lastSeen: number, token: string | undefined, tokenExpiresAt: number }
interface Waiter { asks: 'token' | 'session', dueAt: number, readonly queue: Sent[] }

const refusals = { unknown: 'token_unknown', expired: 'token_expired', consumed: 'token_consumed', void: 'token_unknown', not_theirs: 'token_client' } as const

export class NaiveSharing {
  readonly #options: SharingOptions
  isOpen = true
  isDraining = false
  readonly tokens = new Map<string, Token>()
  readonly sessions = new Map<string, Session>()
  readonly waiting = new Map<string, Waiter>()
  readonly #resting = new Map<string, number>()

  constructor (options: SharingOptions) {
    this.#options = options
  }

  get held (): number {
    return [...this.waiting.values()].reduce((sum, { queue }) => sum + queue.length, 0)
  }

  grant (token: string, target: string, expiresAt: number): void {
    if (!this.tokens.has(token)) this.tokens.set(token, { target, expiresAt, consumed: new Set() })
  }

  /** Forgets what expired 30 s ago. */
  forgetTokens (now: number): void {
    for (const [token, { expiresAt }] of this.tokens) if (now >= expiresAt + 30_000) this.tokens.delete(token)
  }

  expireSessions (now: number): void {
    for (const [client, { lastSeen }] of this.sessions) if (now - lastSeen > this.#options.sessionTimeoutMs) this.sessions.delete(client)
  }

  /** `to:<target>`, a consumed kind, a drop reason, or `held:` and for what. */
  receive (client: string, dataPort: number, packet: SharedPacket, now: number): string {
    this.expireSessions(now)
    const sent = { dataPort, packet }
    const waiter = this.waiting.get(client)
    if (waiter !== undefined) {
      if (waiter.queue.length === MOST_OF_ONE_CLIENT || !this.#hasRoom(waiter.asks)) return 'held_limit'
      waiter.queue.push(sent)
      return 'held:behind'
    }
    const outcome = this.#decide(client, sent, now)
    if (outcome !== 'held:token' && outcome !== 'held:session') return outcome
    const asks = outcome === 'held:token' ? 'token' : 'session'
    if (!this.#hasRoom(asks)) return 'held_limit'
    this.waiting.set(client, { asks, dueAt: now + DEADLINE_MS, queue: [sent] })
    return outcome
  }

  /** What becomes of what the client has sent, in order; undefined if the answer fits nothing. */
  answer (client: string, answer: StoreAnswer, ttlMs: number, now: number): string[] | undefined {
    this.expireSessions(now)
    const waiter = this.waiting.get(client)
    if (waiter === undefined) return undefined
    if (answer === 'late') return this.#late(client, waiter, now)
    if ((answer === 'none' || 'followed' in answer) !== (waiter.asks === 'session')) return undefined
    const [first] = waiter.queue
    if (answer === 'none') this.#resting.set(client, now + REST_MS)
    else if ('refused' in answer) first!.refused = refusals[answer.refused]
    else if ('followed' in answer) this.sessions.set(client, { target: answer.followed, lastSeen: now, token: answer.boundBy, tokenExpiresAt: answer.boundBy === undefined ? 0 : now + ttlMs })
    else {
      const { packet, dataPort } = first!
      if (packet.kind === 'data') throw new Error('no token')
      const elsewhere = (answer.consumedOn ?? []).map(port => port === 'game' ? 0 : 1).filter(port => port !== dataPort)
      this.grant(packet.token, answer.live, now + ttlMs)
      for (const port of elsewhere) this.tokens.get(packet.token)!.consumed.add(port)
      return this.#goOn(client, waiter, now, true)
    }
    return this.#goOn(client, waiter, now)
  }

  /**
   * By client: what becomes of what those have sent whose time is over, or all of them if nobody hears what is asked.
   * @param order in which the core took them: of those that are due together it is its choice
   */
  expire (now: number, order: readonly string[]): Map<string, string[]> {
    this.expireSessions(now)
    const due = [...this.waiting].filter(([, { dueAt }]) => !this.isOpen || dueAt <= now)
      .sort(([one, { dueAt }], [other, { dueAt: otherDueAt }]) => this.isOpen && dueAt !== otherDueAt ? dueAt - otherDueAt : order.indexOf(one) - order.indexOf(other))
    return new Map(due.map(([client, waiter]) => [client, this.isOpen ? this.#late(client, waiter, now) : this.#goOn(client, waiter, now)]))
  }

  tellElsewhere (client: string, change: 'moved' | 'ended' | 'seen', target: string, now: number): void {
    this.expireSessions(now)
    const session = this.sessions.get(client)
    if (session === undefined) return
    if (change === 'ended') this.sessions.delete(client)
    else if (change === 'moved') session.target = target
    else session.lastSeen = Math.min(session.lastSeen, now + 30_000 - this.#options.sessionTimeoutMs)
  }

  #late (client: string, waiter: Waiter, now: number): string[] {
    waiter.queue.shift()
    return ['store_late', ...this.#goOn(client, waiter, now)]
  }

  #goOn (client: string, waiter: Waiter, now: number, isLive = false): string[] {
    const outcomes: string[] = []
    for (let live = isLive; waiter.queue.length > 0; live = false) {
      const outcome = this.#decide(client, waiter.queue[0]!, now, live)
      outcomes.push(outcome)
      if (outcome === 'held:token' || outcome === 'held:session') {
        waiter.asks = outcome === 'held:token' ? 'token' : 'session'
        waiter.dueAt = now + DEADLINE_MS
        return outcomes
      }
      waiter.queue.shift()
    }
    this.waiting.delete(client)
    return outcomes
  }

  #decide (client: string, sent: Sent, now: number, isLive = false): string {
    const { dataPort, packet } = sent
    const session = this.sessions.get(client)
    if (packet.kind === 'data') {
      if (session !== undefined) return this.#forward(session, dataPort, now)
      return this.#mayBeElsewhere(client, now) ? 'held:session' : this.#openDefault(client, dataPort, now)
    }
    const { token } = packet
    const known = this.tokens.get(token)
    const state = isLive ? 'live' : sent.refused ?? this.#stateOf(token, dataPort, now)
    const mustAsk = this.isOpen && !isLive && (state === 'live' || state === 'ours')
    const isOwn = session?.token === token && state !== 'live'
    if (isOwn && now < session.tokenExpiresAt) return 'retransmit'
    if (mustAsk && !isOwn) return 'held:token'
    if (state === 'live') {
      known!.consumed.add(dataPort)
      this.sessions.set(client, { target: known!.target, lastSeen: now, token, tokenExpiresAt: known!.expiresAt })
      return session === undefined || session.target === known!.target ? 'token' : 'reset'
    }
    const refusal = state !== 'ours' ? state : isOwn ? 'token_expired' : 'store_late'
    if (refusal === 'store_late' || packet.kind === 'control' || refusal === 'token_client') return refusal
    if (session !== undefined) return this.#forward(session, dataPort, now)
    if (this.#options.onInvalidToken === 'drop') return refusal
    return refusal !== 'token_forged' && this.#mayBeElsewhere(client, now) ? 'held:session' : this.#openDefault(client, dataPort, now)
  }

  // `live`, `ours` if only the store can tell, or why it is refused.
  #stateOf (token: string, dataPort: number, now: number): string {
    const known = this.tokens.get(token)
    if (known === undefined) return token.startsWith('forged') ? 'token_forged' : 'ours'
    if (now >= known.expiresAt) return 'token_expired'
    return known.consumed.has(dataPort) ? 'token_consumed' : 'live'
  }

  #mayBeElsewhere (client: string, now: number): boolean {
    return this.isOpen && now >= (this.#resting.get(client) ?? -Infinity)
  }

  // Strangers leave half of the room.
  #hasRoom (asks: Waiter['asks']): boolean {
    const { heldDatagrams } = this.#options
    return heldDatagrams - this.held > (asks === 'session' ? heldDatagrams / 2 : 0)
  }

  #openDefault (client: string, dataPort: number, now: number): string {
    if (!this.#options.hasDefault) return 'no_session'
    if (this.isDraining) return 'draining'
    const session: Session = { target: 'D', lastSeen: now, token: undefined, tokenExpiresAt: 0 }
    this.sessions.set(client, session)
    return this.#forward(session, dataPort, now)
  }

  #forward (session: Session, dataPort: number, now: number): string {
    if (this.#options.ports[session.target]![dataPort] !== true) return 'no_port'
    session.lastSeen = now
    return `to:${session.target}`
  }
}
