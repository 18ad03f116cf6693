// The state table written naively, with Maps and strings: what the core must agree with, datagram by datagram.

export interface ModelOptions {
  readonly sessionTimeoutMs: number
  readonly hasDefault: boolean
  readonly onInvalidToken: 'default' | 'drop'
  readonly onTargetGone: 'keep' | 'close' | 'default'
  readonly maxSessions: number
  /** By target key: whether it has a port, by data port. */
  readonly ports: Readonly<Record<string, readonly boolean[]>>
}

interface ModelToken { target: string, expiresAt: number, consumed: Set<number>, isVoid?: boolean }
interface ModelSession { target: string, lastSeen: number, token: string | undefined, tokenExpiresAt: number, hasRedeemed: boolean }

export type ModelPacket = { readonly kind: 'data' } | { readonly kind: 'malformed' } | { readonly kind: 'token', readonly token: string } | { readonly kind: 'control', readonly token: string }

export class NaiveModel {
  readonly #options: ModelOptions
  readonly tokens = new Map<string, ModelToken>()
  readonly sessions = new Map<string, ModelSession>()

  #evicted: string | undefined

  constructor (options: ModelOptions) {
    this.#options = options
  }

  grant (token: string, target: string, expiresAt: number): void {
    if (!this.tokens.has(token)) this.tokens.set(token, { target, expiresAt, consumed: new Set() })
  }

  revoke (token: string): void {
    this.tokens.delete(token)
  }

  withdraw (token: string): void {
    const known = this.tokens.get(token)
    if (known !== undefined) known.isVoid = true
  }

  /** D is the default endpoint's only candidate: when it is gone itself, its sessions stay. */
  leave (target: string, now: number): void {
    this.expireSessions(now)
    for (const [client, session] of this.sessions) {
      if (session.target !== target) continue
      if (this.#options.onTargetGone === 'close') this.sessions.delete(client)
      else if (this.#options.onTargetGone === 'default' && this.#options.hasDefault && target !== 'D') session.target = 'D'
    }
  }

  expireSessions (now: number): void {
    for (const [client, session] of this.sessions) {
      if (now - session.lastSeen > this.#options.sessionTimeoutMs) this.sessions.delete(client)
    }
  }

  /**
   * `to:<target>`, a consumed kind, or a drop reason.
   * @param evicted the client whose session the core ended to make room: which of those equally idle is its choice
   */
  receive (client: string, dataPort: number, packet: ModelPacket, now: number, evicted: string | undefined): string {
    this.expireSessions(now)
    this.#evicted = evicted
    const outcome = this.#judge(client, dataPort, packet, now)
    if (this.#evicted !== undefined) throw new Error(`${this.#evicted} gave way to nobody`)
    return outcome
  }

  #judge (client: string, dataPort: number, packet: ModelPacket, now: number): string {
    const session = this.sessions.get(client)
    if (packet.kind === 'malformed') return 'token_malformed'
    if (packet.kind === 'data') return session === undefined ? this.#openDefault(client, dataPort, now) : this.#forward(session, dataPort, now)
    const state = this.#stateOf(packet.token, dataPort, now)
    if (state === 'live') return this.#redeem(client, session, packet.token, dataPort, now)
    if (session !== undefined && session.token === packet.token && now < session.tokenExpiresAt) return 'retransmit'
    const refusal = state === 'gone' ? 'target_gone' : `token_${state}`
    if (packet.kind === 'control') return refusal
    if (session !== undefined) return this.#forward(session, dataPort, now)
    return this.#options.onInvalidToken === 'drop' ? refusal : this.#openDefault(client, dataPort, now)
  }

  #stateOf (token: string, dataPort: number, now: number): 'live' | 'consumed' | 'expired' | 'unknown' | 'gone' {
    const known = this.tokens.get(token)
    if (known === undefined) return 'unknown'
    if (known.isVoid === true) return 'gone'
    if (now >= known.expiresAt) return 'expired'
    return known.consumed.has(dataPort) ? 'consumed' : 'live'
  }

  #redeem (client: string, session: ModelSession | undefined, token: string, dataPort: number, now: number): string {
    const { target, expiresAt, consumed } = this.tokens.get(token)!
    if (session === undefined && this.sessions.size === this.#options.maxSessions && !this.#makeRoom()) return 'session_limit'
    consumed.add(dataPort)
    this.sessions.set(client, { target, lastSeen: now, token, tokenExpiresAt: expiresAt, hasRedeemed: true })
    return session !== undefined && session.target !== target ? 'reset' : 'token'
  }

  // The core names whom it ended: one that never redeemed a token, and was idle for as long as any of these.
  #makeRoom (): boolean {
    const guests = [...this.sessions.values()].filter(({ hasRedeemed }) => !hasRedeemed)
    if (guests.length === 0) return false
    const session = this.sessions.get(this.#evicted ?? '')
    if (session === undefined || session.hasRedeemed || guests.some(({ lastSeen }) => lastSeen < session.lastSeen)) throw new Error(`${this.#evicted} should not give way`)
    this.sessions.delete(this.#evicted!)
    this.#evicted = undefined
    return true
  }

  #openDefault (client: string, dataPort: number, now: number): string {
    if (!this.#options.hasDefault) return 'no_session'
    if (this.#options.ports['D']![dataPort] !== true) return 'no_port'
    if (this.sessions.size === this.#options.maxSessions) return 'session_limit'
    const session: ModelSession = { target: 'D', lastSeen: now, token: undefined, tokenExpiresAt: 0, hasRedeemed: false }
    this.sessions.set(client, session)
    return this.#forward(session, dataPort, now)
  }

  #forward (session: ModelSession, dataPort: number, now: number): string {
    if (this.#options.ports[session.target]![dataPort] !== true) return 'no_port'
    session.lastSeen = now
    return `to:${session.target}`
  }
}
