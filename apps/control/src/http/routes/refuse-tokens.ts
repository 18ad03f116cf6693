// The gate of every route that hands out tokens.
import { tokenRefusal, type TokenGate } from '../../tokens/token-gate.js'
import { sendProblem, type AnyReply } from '../problems/problem.js'

/** Answers 503 and returns true if no token is handed out any more. */
export function refuseTokens (gate: TokenGate, reply: AnyReply): boolean {
  const failure = tokenRefusal(gate)
  if (failure === undefined) return false
  // The next request of this client has to reach another process.
  reply.header('connection', 'close')
  sendProblem(reply, failure)
  return true
}
