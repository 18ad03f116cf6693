// Why calls fail. Apart from the contract, because a worker thread that makes failures has no use for schemas, which take
// a while to load.
import { err } from '#core/result.js'

/** Why a call failed, as data. `status` is the HTTP status it travels with. */
export const rpcErrors = {
  EPOCH_STALE: { status: 409, meaning: 'A newer control process has taken over.' },
  NOT_READY: { status: 409, meaning: 'The proxy has had no snapshot of this epoch yet.' },
  INVALID: { status: 400, meaning: 'The call does not fit the contract.' },
  INVALID_TARGET: { status: 400, meaning: 'The target has no valid unicast address, or no port for any data port.' },
  NOT_FOUND: { status: 404, meaning: 'No such session.' },
  TARGET_TABLE_FULL: { status: 503, meaning: 'limits.maxTargets is reached.' },
  UNREACHABLE: { status: 503, meaning: 'The proxy does not answer (made by the client).' },
  DEADLINE: { status: 504, meaning: 'No answer in time (made by the client).' },
  BUSY: { status: 503, meaning: 'Too many calls are under way already (made by the client, and by the proxy at its own bound).' },
  INTERNAL: { status: 500, meaning: 'A bug in the proxy.' }
} as const

export type RpcErrorCode = keyof typeof rpcErrors

/** Why a call failed. */
export interface RpcFailure {
  readonly code: RpcErrorCode
  readonly message: string
  /** With EPOCH_STALE: the epoch the proxy has seen. */
  readonly epoch?: number
}

/** A failure with its code, as a Result. */
export function rpcFailure (code: RpcFailure['code'], message: string = rpcErrors[code].meaning): { readonly ok: false, readonly error: RpcFailure } {
  return err({ code, message })
}
