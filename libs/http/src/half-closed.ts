// Callers who close their side of a connection behind a request, as `nc -N` and shutdown(2) do, and wait for the answer.
import type { Server } from 'node:http'

/**
 * Answers them: a connection that one side has closed is whole on the other (RFC 9293 §3.6). By default Node ends it at
 * once, and an answer that takes a moment is lost. What ends it now is its last answer, a reset, or a bound on the time
 * that an answer stays untaken, which `server` must have: nothing else tells that its caller has gone. Node has had the switch
 * for long, but neither documents nor types it (`httpAllowHalfOpen` in its lib/_http_server.js).
 */
export function answerHalfClosed (server: Server & { httpAllowHalfOpen?: boolean }): void {
  server.httpAllowHalfOpen = true
}
