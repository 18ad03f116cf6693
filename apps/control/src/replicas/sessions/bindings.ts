// From what the own proxy says of a session to what the store keeps of it, and back; and which of two bindings of a client is the newer
// one. Pure.
import type { Target } from '#rpc/contract.js'
import type { Binding } from '#rpc/replica-schemas.js'
import type { Token } from '#wire/token.js'
import type { BindingWrite, SharedBinding } from '../../store/shared-store.js'

/** A binding outlives its session by this, in ms: it is written again every `KEEP_PERIOD_MS` at the latest. */
export const OUTLIVE_MS = 60_000

/** What the store is to keep, for a session that may be idle for `timeoutMs`. */
export function writeFrom ({ client, target, token, tokenTtlMs, consumed, idleMs }: Binding, timeoutMs: number): BindingWrite {
  return {
    client,
    binding: {
      target,
      ...token === undefined ? {} : { token: token as Token },
      ...tokenTtlMs === undefined ? {} : { tokenTtlMs },
      ...consumed === undefined ? {} : { consumed }
    },
    ttlMs: Math.max(0, timeoutMs - idleMs) + OUTLIVE_MS
  }
}

/** The session that a client is to have here. */
export function sessionFrom (client: string, { target, token, tokenTtlMs, consumed }: SharedBinding): Binding {
  return {
    client,
    target,
    ...token === undefined ? {} : { token },
    // The store counts whole milliseconds, and one that is over has none.
    ...tokenTtlMs === undefined || tokenTtlMs < 1 ? {} : { tokenTtlMs },
    ...consumed === undefined ? {} : { consumed: [...consumed] },
    idleMs: 0
  }
}

export function isSameTarget (one: Target, other: Target): boolean {
  const names = Object.keys(one.ports)
  return one.key === other.key && one.address === other.address && names.length === Object.keys(other.ports).length &&
    names.every(name => one.ports[name] === other.ports[name])
}

/** A number for a target, never 0: two that differ have the same one once in 2³² times. FNV-1a, 32 bits. */
export function placeOf ({ key, address, ports }: Target): number {
  let hash = 0x811c9dc5
  const text = `${key} ${address} ${Object.keys(ports).sort().map(name => `${name}:${ports[name]}`).join()}`
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash >>> 0 || 1
}

/**
 * Whether the own session is newer than a binding of which this replica did not hear, when nobody can say in which order they came.
 * The client redeemed both tokens: the one that lives longer was made later. If neither lives, others wrote last, unless no other has
 * had the client: `isOwn` knows the names that this replica has, and had in earlier lives.
 */
export function isOwnNewer (own: Binding, stored: SharedBinding, isOwn: (replica: string) => boolean): boolean {
  // The same token: an operator has moved one of them, and wrote that to the store.
  if (own.token === undefined || own.token === stored.token) return false
  const ownMs = own.tokenTtlMs ?? 0
  const storedMs = stored.tokenTtlMs ?? 0
  if (ownMs !== storedMs) return ownMs > storedMs
  return stored.replicas.every(isOwn)
}
