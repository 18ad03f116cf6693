// A session that an operator names, by its id or by its client address: the one that the own proxy has, and those that other replicas
// have of the same client.
import { err, ok } from '#core/result.js'
import type { RpcClient } from '#rpc/client.js'
import type { Session, Target } from '#rpc/contract.js'
import type { RpcFailure } from '#rpc/failure.js'
import type { Elsewhere, SessionElsewhere, SharedSessions } from '../../replicas/sessions/shared-sessions.js'
import type { ApiFailure, Outcome } from '../problems/problem.js'
import { clientAddressFrom } from './session-filter.js'

export interface SessionAccessDeps {
  /** For what operators ask; the link has a client of its own, which they cannot exhaust. */
  readonly proxy: Pick<RpcClient, 'call'>
  /** Undefined: this director is alone. */
  readonly shared: SharedSessions | undefined
}

/** `here`: the own proxy has it, or had. `elsewhere`: only other replicas have, and were told. */
export type Acted<Value> = { readonly here: Value } | { readonly elsewhere: SessionElsewhere }

export class SessionAccess {
  readonly #proxy: Pick<RpcClient, 'call'>
  readonly #shared: SharedSessions | undefined

  constructor ({ proxy, shared }: SessionAccessDeps) {
    this.#proxy = proxy
    this.#shared = shared
  }

  /** The session here; SESSION_ELSEWHERE if it is at others. */
  async get (named: string): Promise<Outcome<Session>> {
    const here = await this.#here(named)
    if (here.ok || here.error.code !== 'SESSION_NOT_FOUND') return here
    const elsewhere = await this.#atOthers(named, async (shared, client) => await shared.find(client))
    return elsewhere.ok
      ? err({ code: 'SESSION_ELSEWHERE', detail: `Of this client there are sessions at ${elsewhere.value.replicas.join(', ') || 'no replica that is known'}, on the target ${elsewhere.value.target.key}.` })
      : elsewhere
  }

  async end (named: string): Promise<Outcome<Acted<Session>>> {
    const here = await this.#here(named)
    if (!here.ok) return here.error.code === 'SESSION_NOT_FOUND' ? elsewhereOf(await this.#atOthers(named, async (shared, client) => await shared.end(client))) : here
    // Before it ends here: a datagram that follows it finds nothing to go on with. Whatever becomes of that, it ends here.
    await this.#shared?.end(here.value.client)
    const ended = await this.#proxy.call('endSession', { params: { id: here.value.id } })
    return ended.ok ? ok({ here: here.value }) : err(failureFromRpc(ended.error))
  }

  /** The proxy tells what it did, and the others hear of that. */
  async move (named: string, target: Target): Promise<Outcome<Acted<Session>>> {
    const id = await this.#idOf(named)
    const moved = id.ok ? await this.#proxy.call('moveSession', { params: { id: id.value }, body: { target } }) : id
    if (moved.ok) return ok({ here: moved.value })
    if (moved.error.code !== 'NOT_FOUND') return err(failureFromRpc(moved.error))
    return elsewhereOf(await this.#atOthers(named, async (shared, client) => await shared.move(client, target)))
  }

  async #here (named: string): Promise<Outcome<Session>> {
    const client = clientAddressFrom(named)
    if (client === undefined) {
      const session = await this.#proxy.call('getSession', { params: { id: named } })
      return session.ok ? session : err(failureFromRpc(session.error))
    }
    const page = await this.#proxy.call('listSessions', { query: { client, limit: 1 } })
    if (!page.ok) return err(failureFromRpc(page.error))
    const [session] = page.value.sessions
    return session === undefined ? err(notFound) : ok(session)
  }

  async #idOf (named: string): Promise<ReturnType<typeof ok<string>> | ReturnType<typeof err<RpcFailure>>> {
    const client = clientAddressFrom(named)
    if (client === undefined) return ok(named)
    const page = await this.#proxy.call('listSessions', { query: { client, limit: 1 } })
    if (!page.ok) return page
    const [session] = page.value.sessions
    return session === undefined ? err({ code: 'NOT_FOUND', message: 'It has no session of this client.' }) : ok(session.id)
  }

  async #atOthers (named: string, act: (shared: SharedSessions, client: string) => Promise<Elsewhere>): Promise<Outcome<SessionElsewhere>> {
    const client = clientAddressFrom(named)
    if (this.#shared === undefined || client === undefined) return err(notFound)
    const found = await act(this.#shared, client)
    if (!found.ok) return err({ code: 'STORE_UNAVAILABLE', detail: 'This replica has no session of the client, and the shared store did not say who has.' })
    return found.value === undefined ? err(notFound) : ok(found.value)
  }
}

const notFound: ApiFailure = { code: 'SESSION_NOT_FOUND', detail: 'The proxy has no session with this id.' }

function elsewhereOf (found: Outcome<SessionElsewhere>): Outcome<Acted<Session>> {
  return found.ok ? ok({ elsewhere: found.value }) : found
}

/** What an operator is told about a call to the proxy that failed. */
export function failureFromRpc ({ code }: RpcFailure): ApiFailure {
  switch (code) {
    case 'NOT_FOUND': return notFound
    case 'INVALID_TARGET': return { code: 'INVALID_TARGET', detail: 'The proxy cannot reach a target like this.' }
    case 'TARGET_TABLE_FULL': return { code: 'CAPACITY_EXHAUSTED', detail: 'limits.maxTargets is reached.' }
    case 'BUSY': return { code: 'CAPACITY_EXHAUSTED', detail: 'Too many calls to the proxy are under way.' }
    case 'INVALID': case 'INTERNAL': return { code: 'INTERNAL', detail: 'The proxy did not understand the call, or failed.' }
    default: return { code: 'PROXY_UNAVAILABLE', detail: 'The proxy did not answer.' }
  }
}
