// The gate of every route that hands out tokens: once the process has been asked to end, there are none.
import type { Drain } from '../../proxies/drain.js'
import { sendProblem, type AnyReply, type ApiFailure } from '../problems/problem.js'

/** Set once, when the process closes; a drain comes before that. */
export interface Lifecycle {
  isStopping: boolean
}

export interface TokenGate {
  readonly drain: Pick<Drain, 'isDraining'>
  readonly lifecycle: Readonly<Lifecycle>
}

/** Answers 503 and returns true if no token is handed out any more. */
export function refuseTokens ({ drain, lifecycle }: TokenGate, reply: AnyReply): boolean {
  const failure = refusal(drain.isDraining, lifecycle.isStopping)
  if (failure === undefined) return false
  // The next request of this client has to reach another process.
  reply.header('connection', 'close')
  sendProblem(reply, failure)
  return true
}

function refusal (isDraining: boolean, isStopping: boolean): ApiFailure | undefined {
  if (isStopping) return { code: 'SHUTTING_DOWN', detail: 'This process hands out no more tokens.' }
  return isDraining ? { code: 'DRAINING', detail: 'This process hands out no more tokens; its sessions go on until they end. Ask again on a new connection: it reaches the process that takes over, once there is one.' } : undefined
}
