// The gate of every route that hands out tokens: once the process has been asked to end, there are none.
import type { ControlDeps } from '../../deps.js'
import type { AnyReply, Failure } from '../problems/problem.js'
import { sendProblem } from '../problems/problem.js'

/** Answers 503 and returns true if no token is handed out any more. */
export function refuseTokens ({ drain, lifecycle }: Pick<ControlDeps, 'drain' | 'lifecycle'>, reply: AnyReply): boolean {
  const failure = refusal(drain.isDraining, lifecycle.isStopping)
  if (failure === undefined) return false
  // The next request of this client has to reach another process.
  reply.header('connection', 'close')
  sendProblem(reply, failure)
  return true
}

function refusal (isDraining: boolean, isStopping: boolean): Failure | undefined {
  if (isStopping) return { code: 'SHUTTING_DOWN', detail: 'This process hands out no more tokens.' }
  return isDraining ? { code: 'DRAINING', detail: 'This process hands out no more tokens; its sessions go on until they end.' } : undefined
}
