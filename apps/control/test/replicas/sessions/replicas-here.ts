// Several replicas over the twin of the store, each with a proxy that has sessions and no sockets: what its core does with the
// datagrams of clients, tokens of other replicas aside, and what it tells control of it.
import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Target } from '#rpc/contract.js'
import type { Answer, Binding, BindingChange, Elsewhere } from '#rpc/replica-schemas.js'
import { createFakeClock, type FakeClock } from '#testkit/fake-clock.js'
import { StoreTwin } from '#testkit/store/store-twin.js'
import type { ReplicaProxy } from '../../../src/replicas/parts/replica-part.js'
import type { SessionContext, TargetVerdict } from '../../../src/replicas/sessions/session-context.js'
import { createSessionsPart, type SessionsPart } from '../../../src/replicas/sessions/sessions-part.js'
import type { SharedStore } from '../../../src/store/shared-store.js'

export const TIMEOUT_MS = 300_000
const SEEN_MS = 30_000
const SWEEP_MS = 10_000
const DEADLINE_MS = 250

interface Session {
  target: Target
  token: string | undefined
  seenMs: number
}

export function target (name: string): Target {
  return { key: `gameserver/games/${name}`, address: '10.0.0.1', ports: { game: 7000 } }
}

function tokenNamed (name: string): string {
  const hex = createHash('sha256').update(name).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** A proxy of one replica. */
export class SessionsHere implements ReplicaProxy {
  isSynchronised = true
  readonly sessions = new Map<string, Session>()
  /** Where datagrams went: the target's key, or why they did not. */
  readonly forwarded: string[] = []
  readonly told: Elsewhere[] = []
  /** Sessions that followed their clients here. */
  followed = 0
  /** Bindings in one page of a list. */
  pageSize = 500
  /** How long an event is on its way, in ms. */
  eventMs = 0
  /** How long a page is on its way, in ms. */
  listMs = 0
  onBinding: (change: BindingChange, binding: Binding) => void = () => undefined
  onAsked: (id: number, client: string) => void = () => undefined
  readonly #clock: FakeClock
  readonly #waiting = new Map<number, { readonly client: string, readonly dueMs: number }>()
  #asks = 0

  constructor (clock: FakeClock) {
    this.#clock = clock
    clock.every(SWEEP_MS, () => { this.sweep() })
  }

  /** Redeems a token of the client, the one of this name. */
  token (client: string, to: Target, name = to.key): void {
    const token = tokenNamed(name)
    const former = this.#live(client)
    if (former === undefined) this.#establish(client, to, token, 'established')
    else {
      former.seenMs = this.#clock.now()
      former.token = token
      former.target = to
      this.#tell('reset', client, former)
    }
  }

  /** A datagram of a client, without a token. */
  data (client: string): void {
    const session = this.#live(client)
    if (session !== undefined) {
      session.seenMs = this.#clock.now()
      this.forwarded.push(session.target.key)
      return
    }
    const id = this.#asks++
    this.#waiting.set(id, { client, dueMs: this.#clock.now() + DEADLINE_MS })
    this.onAsked(id, client)
  }

  /** An operator moves a session that is here. */
  move (client: string, to: Target): void {
    const session = this.#live(client)
    if (session === undefined || session.target.key === to.key) return
    session.target = to
    this.#tell('moved', client, session)
  }

  end (client: string): void {
    this.#over('ended', client)
  }

  answer ({ id, verdict, session }: Answer): void {
    const asked = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (asked === undefined || asked.dueMs < this.#clock.now()) return
    if (verdict === 'followed' && session !== undefined) {
      if (this.#live(asked.client) === undefined) this.#establish(asked.client, session.target, session.token, 'followed')
      this.data(asked.client)
    } else this.forwarded.push(verdict)
  }

  async tellElsewhere (clients: readonly Elsewhere[]): Promise<boolean> {
    await Promise.resolve()
    if (!this.isSynchronised) return false
    for (const elsewhere of clients) {
      this.told.push(elsewhere)
      const session = this.#live(elsewhere.client)
      if (session === undefined) continue
      if (elsewhere.change === 'ended') this.sessions.delete(elsewhere.client)
      else if (elsewhere.change === 'seen') session.seenMs = Math.min(session.seenMs, this.#clock.now() - TIMEOUT_MS + SEEN_MS)
      else if (elsewhere.target !== undefined) session.target = elsewhere.target
    }
    return true
  }

  async find (client: string): Promise<Binding | undefined> {
    await Promise.resolve()
    const session = this.#live(client)
    return session === undefined ? undefined : this.#binding(client, session)
  }

  async * bindings (activeWithinMs = Infinity): AsyncGenerator<readonly Binding[] | undefined> {
    for (let at = 0; ; at += this.pageSize) {
      // As it is when it is asked for; it takes a while to arrive.
      const all = [...this.sessions].filter(([, { seenMs }]) => this.#clock.now() - seenMs <= activeWithinMs)
      const page = all.slice(at, at + this.pageSize).map(([client, session]) => this.#binding(client, session))
      await new Promise<void>(resolve => { this.#clock.after(this.listMs, resolve) })
      yield this.isSynchronised ? page : undefined
      if (at + this.pageSize >= all.length) return
    }
  }

  sweep (): void {
    for (const [client, session] of this.sessions) if (!this.#isLive(session)) this.#over('expired', client)
  }

  /** Where the client's session here leads. */
  at (client: string): string | undefined {
    return this.#live(client)?.target.key
  }

  #establish (client: string, to: Target, token: string | undefined, change: BindingChange): void {
    const session = { target: to, token, seenMs: this.#clock.now() }
    this.sessions.set(client, session)
    if (change === 'followed') this.followed++
    this.#tell(change, client, session)
  }

  #over (change: 'expired' | 'ended', client: string): void {
    const session = this.sessions.get(client)
    this.sessions.delete(client)
    if (session !== undefined) this.#tell(change, client, session)
  }

  #tell (change: BindingChange, client: string, session: Session): void {
    const binding = this.#binding(client, session)
    if (this.isSynchronised) this.#clock.after(this.eventMs, () => { this.onBinding(change, binding) })
  }

  #live (client: string): Session | undefined {
    const session = this.sessions.get(client)
    return session !== undefined && this.#isLive(session) ? session : undefined
  }

  #isLive ({ seenMs }: Session): boolean {
    return this.#clock.now() - seenMs <= TIMEOUT_MS
  }

  #binding (client: string, { target, token, seenMs }: Session): Binding {
    return { client, target, ...token === undefined ? {} : { token }, idleMs: Math.round(this.#clock.now() - seenMs) }
  }
}

export interface Here {
  readonly name: string
  readonly proxy: SessionsHere
  readonly store: SharedStore
  readonly part: SessionsPart
  readonly counted: { refused: number }
  /** What its inventory says of targets, by key; the others are there. */
  readonly verdicts: Map<string, TargetVerdict>
  readonly close: () => Promise<void>
}

export interface ReplicasHere {
  readonly clock: FakeClock
  readonly twin: StoreTwin
  readonly open: (name: string, options?: { readonly proxy?: SessionsHere, readonly staysOnGone?: boolean }) => Here
  /** Lets time pass, and everything that waits for it. */
  readonly pass: (ms: number) => Promise<void>
  /** Sessions of a client, over all replicas. */
  readonly sessionsOf: (client: string) => number
  readonly all: Here[]
}

/** Tokens of these replicas are over as soon as they are redeemed. */
export function replicasHere (random: () => number = () => 0.5): ReplicasHere {
  const clock = createFakeClock()
  const twin = new StoreTwin({ clock, random })
  const all: Here[] = []
  const pass = async (ms: number): Promise<void> => {
    const untilMs = clock.now() + ms
    while (clock.now() < untilMs) {
      clock.advance(Math.min(10, untilMs - clock.now()))
      await nextTurn()
    }
  }
  return {
    clock,
    twin,
    all,
    pass,
    sessionsOf: client => all.reduce((sum, { proxy }) => sum + (proxy.sessions.has(client) ? 1 : 0), 0),
    open: (name, { proxy = new SessionsHere(clock), staysOnGone = false } = {}) => {
      const counted = { refused: 0 }
      const verdicts = new Map<string, TargetVerdict>()
      const store = twin.open(name, {
        onUp: isAgain => { void part.onStoreUp?.({ isAgain, signal: new AbortController().signal }) },
        onDown: () => { part.onStoreDown?.() },
        onMessage: message => { part.onMessage?.(message) },
        onNewerRecord: () => undefined,
        onCall: () => undefined
      }, DEADLINE_MS)
      const context: SessionContext = {
        clock,
        random: () => 0.5,
        store,
        proxy,
        replica: name,
        metrics: { redeemedElsewhere: () => undefined, targetRefused: () => { counted.refused++ } },
        maxSessions: 20_000,
        timeoutMs: TIMEOUT_MS,
        deadlineMs: DEADLINE_MS,
        judge: ({ key }) => verdicts.get(key) ?? 'there',
        staysOnGone: () => staysOnGone,
        isOwnName: other => other.split('#')[0] === name.split('#')[0]
      }
      const part = createSessionsPart(context)
      proxy.onBinding = (change, binding) => { part.onBinding?.(change, binding) }
      proxy.onAsked = (id, client) => { part.onClientAsked?.({ type: 'asked', id, client, dataPort: 'game' }) }
      store.start()
      const here: Here = {
        name,
        proxy,
        store,
        part,
        counted,
        verdicts,
        close: async () => {
          part.close?.()
          all.splice(all.indexOf(here), 1)
          await store.close()
        }
      }
      all.push(here)
      return here
    }
  }
}

export interface ThreeReplicas extends ReplicasHere {
  readonly a: Here
  readonly b: Here
  readonly c: Here
}

/** Three that are up. */
export async function threeReplicas (): Promise<ThreeReplicas> {
  const here = replicasHere()
  const [a, b, c] = [here.open('a'), here.open('b'), here.open('c')]
  await here.pass(100)
  return { ...here, a, b, c }
}

/** The answer to what needs time to pass. */
export async function settled<Value> (pass: (ms: number) => Promise<void>, asked: Promise<Value>): Promise<Value> {
  const answers: Value[] = []
  void asked.then(answer => { answers.push(answer) })
  while (answers.length === 0) await pass(10)
  return answers[0]!
}
