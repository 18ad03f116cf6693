import type { Socket } from 'node:net'

/** Sends a RST and nothing before it. `resetAndDestroy` alone sends a FIN first, which a client takes for an orderly end. */
export function resetSocket (socket: Socket): void {
  // What a stream does between its last write and 'finish': for a socket that is the FIN.
  socket._final = done => { done() }
  socket.resetAndDestroy()
}
