// Whether tokens are handed out at all: once the process has been asked to end, there are none.
import type { Failure } from '#core/failure.js'

/** Set once, when the process closes; a drain comes before that. */
export interface Lifecycle {
  isStopping: boolean
}

export interface TokenGate {
  readonly drain: { readonly isDraining: boolean }
  readonly lifecycle: Readonly<Lifecycle>
}

/** Why nobody gets a token now; undefined if they may. */
export function tokenRefusal ({ drain: { isDraining }, lifecycle: { isStopping } }: TokenGate): Failure<'SHUTTING_DOWN' | 'DRAINING'> | undefined {
  if (isStopping) return { code: 'SHUTTING_DOWN', detail: 'This process hands out no more tokens.' }
  return isDraining ? { code: 'DRAINING', detail: 'This process hands out no more tokens; its sessions go on until they end. Ask again on a new connection: it reaches the process that takes over, once there is one.' } : undefined
}
