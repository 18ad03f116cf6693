// What operators do to sessions, wherever these are: at any replica, by the client's address.
import { err, ok, type Result } from '#core/result.js'
import type { Target } from '#rpc/contract.js'
import type { StoreFailure } from '../../store/shared-store.js'
import { OUTLIVE_MS } from './bindings.js'
import type { SessionContext } from './session-context.js'

/** A session as the store knows it. */
export interface SessionElsewhere {
  readonly client: string
  readonly target: Target
  /** The replicas that have it, but for this one; the last one first. */
  readonly replicas: readonly string[]
}

export type Elsewhere = Result<SessionElsewhere | undefined, StoreFailure>

export interface SharedSessions {
  /** The session of this client address at other replicas; undefined if there is none. */
  readonly find: (client: string) => Promise<Elsewhere>
  /** Ends it at all of them: the store forgets it, then they are told. What there was. */
  readonly end: (client: string) => Promise<Elsewhere>
  /** Moves it at all of them: the store has the new target, then they are told. Undefined if there is none. */
  readonly move: (client: string, target: Target) => Promise<Elsewhere>
}

export function createSharedSessions ({ store, replica, timeoutMs }: Pick<SessionContext, 'store' | 'replica' | 'timeoutMs'>): SharedSessions {
  const others = (replicas: readonly string[]): readonly string[] => replicas.filter(each => each !== replica)
  return {
    find: async client => {
      const found = await store.find(client)
      if (!found.ok) return found
      const binding = found.value
      return ok(binding === undefined ? undefined : { client, target: binding.target, replicas: others(binding.replicas) })
    },
    end: async client => {
      const found = await store.find(client)
      if (!found.ok) return found
      if (found.value === undefined) return ok(undefined)
      const { target, sequence } = found.value
      // First of all: whoever is asked from now on finds nothing to go on with.
      const dropped = await store.drop(client, replica, true)
      if (!dropped.ok) return err(dropped.error)
      const replicas = others(dropped.value)
      for (const other of replicas) store.send(other, { type: 'elsewhere', client, change: 'ended', sequence })
      return ok({ client, target, replicas })
    },
    move: async (client, target) => {
      const found = await store.find(client)
      if (!found.ok) return found
      if (found.value === undefined) return ok(undefined)
      const { token, tokenTtlMs, consumed, replicas: [holder = replica] } = found.value
      const binding = { target, ...token === undefined ? {} : { token }, ...tokenTtlMs === undefined ? {} : { tokenTtlMs }, ...consumed === undefined ? {} : { consumed } }
      // In the name of one that has the session: this replica has none.
      const bound = await store.bind({ client, binding, ttlMs: timeoutMs + OUTLIVE_MS }, holder)
      if (!bound.ok) return err(bound.error)
      const { sequence } = bound.value
      const replicas = [...new Set([...others([holder]), ...others(bound.value.replicas)])]
      for (const other of replicas) store.send(other, { type: 'elsewhere', client, change: 'moved', target, sequence })
      return ok({ client, target, replicas })
    }
  }
}
