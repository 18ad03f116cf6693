// Whether tokens are handed out at all: not before there is an address to send them to, and once the process has been asked to end,
// there are none.
import type { Failure } from '#core/failure.js'
import type { Advertised } from '../advertise/advertised.js'

/** Set once, when the process closes; a drain comes before that. */
export interface Lifecycle {
  isStopping: boolean
}

export interface TokenGate {
  readonly advertised: Pick<Advertised, 'told'>
  readonly drain: { readonly isDraining: boolean }
  readonly lifecycle: Readonly<Lifecycle>
}

/** Why nobody gets a token now; undefined if they may. */
export function tokenRefusal ({ advertised, drain: { isDraining }, lifecycle: { isStopping } }: TokenGate): Failure<'SHUTTING_DOWN' | 'DRAINING' | 'ADDRESS_UNKNOWN'> | undefined {
  if (isStopping) return { code: 'SHUTTING_DOWN', detail: 'This process hands out no more tokens.' }
  if (isDraining) return { code: 'DRAINING', detail: 'This process hands out no more tokens; its sessions go on until they end. Ask again on a new connection: it reaches the process that takes over, once there is one.' }
  return advertised.told().ok ? undefined : { code: 'ADDRESS_UNKNOWN', detail: 'This process does not know yet to which address clients send their datagrams. Ask again on a new connection: it may reach another process.' }
}
