// Brings what happens to the own sessions to the store, and what the store answers to those it concerns: replicas that have the same
// client, and the own proxy where others know better.
import type { Binding, BindingChange } from '#rpc/replica-schemas.js'
import type { Place, SharedBinding } from '../../store/shared-store.js'
import { isOwnNewer, isSameTarget, OUTLIVE_MS, writeFrom } from './bindings.js'
import type { KnownBindings } from './known-bindings.js'
import { Lanes } from './lanes.js'
import type { OwnProxy } from './own-proxy.js'
import type { SessionContext } from './session-context.js'

/** Clients whose change the store has not been told; those beyond are left to the next list of sessions. */
export const MAX_WAITING_CLIENTS = 10_000
/** A store that answers within 1 ms is told of 100,000 changes a second. */
const AT_ONCE = 128
/** How long until what the store did not take is said again, in ms. */
export const WRITE_RETRY_MS = 1000
const MAX_TRIES = 5

type Work =
  /** It has a new target. `isHere`: a datagram of the client said so, so that is where its datagrams come to. */
  | { readonly kind: 'bind', readonly binding: Binding, readonly isHere: boolean }
  /** It goes on here. */
  | { readonly kind: 'join', readonly binding: Binding }
  /** It is over. */
  | { readonly kind: 'drop' }

type Bind = Extract<Work, { kind: 'bind' }>

export interface BindingWriterDeps {
  readonly context: SessionContext
  readonly known: KnownBindings
  readonly ownProxy: OwnProxy
  /** Nothing of this client is on its way to the store any more. */
  readonly onIdle: (client: string) => void
}

export class BindingWriter {
  readonly #deps: BindingWriterDeps
  readonly #lanes: Lanes<Work>

  constructor (deps: BindingWriterDeps) {
    this.#deps = deps
    this.#lanes = new Lanes({
      clock: deps.context.clock,
      maxClients: MAX_WAITING_CLIENTS,
      atOnce: AT_ONCE,
      retryMs: WRITE_RETRY_MS,
      maxTries: MAX_TRIES,
      run: async (client, work, tries) => await this.#write(client, work, tries > 0),
      onIdle: deps.onIdle,
      onLeft: (client, { kind }) => { if (kind !== 'drop') deps.known.leaveUnwritten(client) }
    })
  }

  isBusy (client: string): boolean {
    return this.#lanes.isBusy(client)
  }

  /** Whether what the proxy lists of this client may be older than what is known of it. */
  isUnsettled (client: string): boolean {
    return this.isBusy(client) || this.#deps.ownProxy.wasMoved(client)
  }

  /** What the own proxy says of a session. */
  changed (change: BindingChange, binding: Binding): void {
    const { known } = this.#deps
    const { client } = binding
    if (change === 'expired' || change === 'ended') {
      known.over(client)
      this.#lanes.submit(client, { kind: 'drop' })
      return
    }
    known.changed(client)
    this.#lanes.submit(client, change === 'followed' ? { kind: 'join', binding } : { kind: 'bind', binding, isHere: change !== 'moved' })
  }

  /** The own session is the newest, whatever the store has. */
  bind (binding: Binding): void {
    this.#lanes.submit(binding.client, { kind: 'bind', binding, isHere: false })
  }

  /** The client is here again: those that have it, too, are told so. */
  returned (binding: Binding): void {
    if (!this.isBusy(binding.client)) this.#lanes.submit(binding.client, { kind: 'join', binding })
  }

  /** Takes in what the store has of a client, where it may not be what the own proxy has. True if both are the same now. */
  reconcile (own: Binding, stored: SharedBinding): boolean {
    const { known, context: { isOwnName, store, replica, timeoutMs } } = this.#deps
    const { client } = own
    // Something newer was heard while the answer was on its way.
    if (stored.sequence < known.of(client)) return false
    if (isSameTarget(own.target, stored.target)) {
      known.learn(client, stored.sequence, stored.target)
      return true
    }
    // Known: the store has it from this replica, or from one that told this replica. So whoever wrote since is newer.
    if (known.of(client) === 0 && isOwnNewer(own, stored, isOwnName)) this.bind(own)
    else {
      this.#moveOwn(client, stored)
      // Whoever moves it next tells this replica, too. If it does not arrive, the next list does it.
      void store.join(client, replica, timeoutMs + OUTLIVE_MS)
    }
    return false
  }

  open (): void {
    this.#lanes.open()
  }

  shut (): void {
    this.#lanes.shut()
  }

  close (): void {
    this.#lanes.close()
  }

  async #write (client: string, work: Work, isAgain: boolean): Promise<boolean> {
    if (work.kind === 'drop') {
      const { store, replica } = this.#deps.context
      return (await store.drop(client, replica, false)).ok
    }
    if (work.kind === 'join') return await this.#join(work.binding)
    return isAgain ? await this.#bindAgain(work) : await this.#bind(work)
  }

  async #bind (bind: Bind): Promise<boolean> {
    const { store, replica, timeoutMs } = this.#deps.context
    const bound = await store.bind(writeFrom(bind.binding, timeoutMs), replica)
    if (bound.ok) this.#bound(bind, bound.value)
    return bound.ok
  }

  // The store may have done it and not said so; and others may have written since.
  async #bindAgain (bind: Bind): Promise<boolean> {
    const { known, context: { store } } = this.#deps
    const own = bind.binding
    const { client, target } = own
    const found = await store.find(client)
    if (!found.ok) return false
    const stored = found.value
    if (stored === undefined || stored.sequence <= known.of(client)) return await this.#bind(bind)
    if (isSameTarget(target, stored.target) && own.token === stored.token) {
      this.#bound(bind, stored)
      return true
    }
    if (isOwnNewer(own, stored, this.#deps.context.isOwnName)) return await this.#bind(bind)
    this.#moveOwn(client, stored)
    return true
  }

  // The store has it: from now on it is what others have to go by, and the own proxy too.
  #bound ({ binding: { client, target }, isHere }: Bind, { sequence, replicas }: Place): void {
    const { known, ownProxy, context: { store, replica } } = this.#deps
    known.learn(client, sequence, target)
    for (const other of replicas) {
      if (other === replica) continue
      store.send(other, { type: 'elsewhere', client, change: 'moved', target, sequence })
      if (isHere) store.send(other, { type: 'elsewhere', client, change: 'seen', sequence })
    }
    if (ownProxy.wasMoved(client) && !this.#lanes.hasNext(client)) ownProxy.move(client, target)
  }

  async #join (binding: Binding): Promise<boolean> {
    const { known, context: { store, replica, timeoutMs } } = this.#deps
    const { client } = binding
    const joined = await store.join(client, replica, timeoutMs + OUTLIVE_MS)
    if (!joined.ok) return false
    if (joined.value === undefined) return await this.#bind({ kind: 'bind', binding, isHere: true })
    const { sequence, replicas } = joined.value
    // Somebody moved the client after it was found and before this replica was known to have it: nobody has told.
    if (sequence > known.of(client)) await this.#catchUp(binding)
    known.learn(client, sequence)
    for (const other of replicas) store.send(other, { type: 'elsewhere', client, change: 'seen', sequence })
    return true
  }

  async #catchUp ({ client, target }: Binding): Promise<void> {
    const { known, context: { store } } = this.#deps
    const found = await store.find(client)
    if (!found.ok || found.value === undefined) return
    if (isSameTarget(target, found.value.target)) known.learn(client, found.value.sequence, target)
    else this.#moveOwn(client, found.value)
  }

  #moveOwn (client: string, { target, sequence }: SharedBinding): void {
    const { known, ownProxy, context: { judge, metrics } } = this.#deps
    if (sequence < known.of(client)) return
    if (judge(target) === 'refused') {
      metrics.targetRefused()
      return
    }
    known.learn(client, sequence, target)
    ownProxy.move(client, target)
  }
}
