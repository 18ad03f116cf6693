// What a proxy is asked and told where directors share a store: answers to what it asks, what happened to its clients elsewhere, the keys of
// tokens. One call of each kind is under way; what comes meanwhile goes together in the next.
import type { Result } from '#core/result.js'
import type { RpcClient } from '#rpc/client.js'
import { isAble, type Ability, type Hello } from '#rpc/contract.js'
import type { RpcFailure } from '#rpc/failure.js'
import { MAX_REPLICA_ITEMS, type Answer, type Binding, type BindingsPage, type Elsewhere } from '#rpc/replica-schemas.js'

export interface ReplicaCallsOptions {
  readonly client: Pick<RpcClient, 'call'>
  readonly link: {
    readonly state: string
    readonly epoch: number
    readonly proxy: Hello | undefined
    /** Ends the connection. */
    readonly fail: (failure: RpcFailure) => void
  }
  /** Keys by whose mark tokens are ours, the newest first. */
  readonly tokenKeys: () => readonly string[]
}

interface Telling {
  readonly clients: readonly Elsewhere[]
  readonly settle: (isTold: boolean) => void
}

export class ReplicaCalls {
  readonly #options: ReplicaCallsOptions
  #answers: Answer[] = []
  #isAnswering = false
  #tellings: Telling[] = []
  #isTelling = false
  #areKeysNew = false
  #arePutting = false
  #finding: Promise<unknown> = Promise.resolve()

  constructor (options: ReplicaCallsOptions) {
    this.#options = options
  }

  get isSynchronised (): boolean {
    return this.#options.link.state === 'synchronised'
  }

  /** Answers go together at the end of the turn; one that the proxy does not wait for any more does nothing. */
  answer (answer: Answer): void {
    this.#answers.push(answer)
    this.#answerSoon()
  }

  /** What happened elsewhere to clients that have a session here; false if it was not acknowledged. */
  async tellElsewhere (clients: readonly Elsewhere[]): Promise<boolean> {
    if (clients.length === 0) return true
    return await new Promise(resolve => {
      this.#tellings.push({ clients, settle: resolve })
      if (this.#isTelling) return
      this.#isTelling = true
      queueMicrotask(() => { void this.#sendTellings() })
    })
  }

  /** Sessions that have redeemed a token, in pages; undefined comes last if not all of them could be read. */
  async * bindings (activeWithinMs?: number): AsyncGenerator<readonly Binding[] | undefined> {
    const { client, link } = this.#options
    let cursor: number | undefined = 0
    while (cursor !== undefined) {
      const page: Result<BindingsPage, RpcFailure> | undefined = this.#can('asks') ? await client.call('listBindings', { query: activeWithinMs === undefined ? { cursor } : { cursor, activeWithinMs } }) : undefined
      if (page?.ok !== true) {
        if (page !== undefined) link.fail(page.error)
        yield undefined
        return
      }
      yield page.value.bindings
      cursor = page.value.nextCursor
    }
  }

  /** The session of this client that has redeemed a token, without its token; undefined if there is none, or the proxy does not say. */
  async find (client: string): Promise<Binding | undefined> {
    const found = this.#finding.then(async () => await this.#find(client))
    this.#finding = found
    return await found
  }

  /** The keys have changed: the proxy is told, now or when it is there. */
  keysChanged (): void {
    this.#areKeysNew = true
    void this.#putKeys()
  }

  /** The proxy is there, with a snapshot; keys that came meanwhile follow. */
  open (): void {
    this.#answerSoon()
    void this.#putKeys()
  }

  /** For a snapshot: the keys, if the proxy is of a version that knows of them and there are any. */
  takeKeys (): readonly string[] | undefined {
    const { link: { proxy }, tokenKeys } = this.#options
    const keys = tokenKeys()
    this.#areKeysNew = false
    return proxy !== undefined && isAble(proxy, 'tokenKeys') && keys.length > 0 ? keys : undefined
  }

  /** The proxy is lost: nobody waits for these answers any more. */
  shut (): void {
    this.#answers = []
    for (const { settle } of this.#tellings.splice(0)) settle(false)
  }

  async #find (client: string): Promise<Binding | undefined> {
    const page = await this.#options.client.call('listSessions', { query: { client, limit: 1 } })
    const session = page.ok ? page.value.sessions[0] : undefined
    return session === undefined || session.origin === 'default' ? undefined : { client, target: session.target, idleMs: session.idleMs }
  }

  #can (ability: Ability): boolean {
    const { proxy } = this.#options.link
    return this.isSynchronised && proxy !== undefined && isAble(proxy, ability)
  }

  #answerSoon (): void {
    if (this.#isAnswering || this.#answers.length === 0) return
    this.#isAnswering = true
    queueMicrotask(() => { void this.#sendAnswers() })
  }

  // It may ask before the whole snapshot is acknowledged; then answers wait for that.
  async #sendAnswers (): Promise<void> {
    const { client, link } = this.#options
    while (this.#answers.length > 0 && this.#can('asks')) {
      const body = { epoch: link.epoch, answers: this.#answers.splice(0, MAX_REPLICA_ITEMS) }
      const reply = await client.call('answerAsks', { body })
      if (!reply.ok) link.fail(reply.error)
    }
    this.#isAnswering = false
  }

  async #sendTellings (): Promise<void> {
    while (this.#tellings.length > 0) {
      const tellings = this.#tellings.splice(0)
      const isTold = await this.#tell(tellings.flatMap(({ clients }) => clients))
      for (const { settle } of tellings) settle(isTold)
    }
    this.#isTelling = false
  }

  async #tell (clients: readonly Elsewhere[]): Promise<boolean> {
    const { client, link } = this.#options
    for (let from = 0; from < clients.length; from += MAX_REPLICA_ITEMS) {
      if (!this.#can('asks')) return false
      const reply = await client.call('tellElsewhere', { body: { epoch: link.epoch, clients: clients.slice(from, from + MAX_REPLICA_ITEMS) } })
      if (reply.ok) continue
      link.fail(reply.error)
      return false
    }
    return true
  }

  async #putKeys (): Promise<void> {
    const { client, link, tokenKeys } = this.#options
    if (this.#arePutting) return
    this.#arePutting = true
    while (this.#areKeysNew && this.#can('tokenKeys')) {
      this.#areKeysNew = false
      const reply = await client.call('putTokenKeys', { body: { epoch: link.epoch, keys: [...tokenKeys()] } })
      if (reply.ok) continue
      this.#areKeysNew = true
      link.fail(reply.error)
    }
    this.#arePutting = false
  }
}
