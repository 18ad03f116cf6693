// The end of a request, whatever ends it.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

const endings = new WeakMap<Socket, Set<() => void>>()

/**
 * Calls `over` once: after the answer has left, or when the connection is gone, which may be at once. A response of
 * Node's tells neither of these if it waits behind another answer of its connection: it gets no `close` when that goes.
 */
export function whenOver ({ socket }: IncomingMessage, response: ServerResponse, over: () => void): void {
  if (socket.destroyed || response.closed) {
    over()
    return
  }
  const waiting = endingsOf(socket)
  const end = (): void => { if (waiting.delete(end)) over() }
  waiting.add(end)
  response.once('close', end)
}

// One listener for each connection, however many requests it brings.
function endingsOf (socket: Socket): Set<() => void> {
  const known = endings.get(socket)
  if (known !== undefined) return known
  const waiting = new Set<() => void>()
  endings.set(socket, waiting)
  socket.once('close', () => { for (const end of [...waiting]) end() })
  return waiting
}
