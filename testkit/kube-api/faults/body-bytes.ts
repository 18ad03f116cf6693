// How a body's bytes leave: in one piece or in many, whole or not. The only code here that treats sockets badly.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Fault } from './fault.js'
import type { Cut } from './frame.js'

type Pieces = Extract<Fault, { kind: 'pieces' }>['bytes']

/** Each piece is a chunk of its own in HTTP's chunked coding, so a client sees it apart however TCP packs it. */
export function piecesOf (bytes: Buffer, pieces: Pieces | undefined): readonly Buffer[] {
  if (pieces === undefined) return [bytes]
  const ends = pieces === 'within-characters' ? endsWithinCharacters(bytes) : endsEvery(bytes, pieces)
  return [...ends, bytes.length].map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
}

/**
 * Stops a response after what was written so far has left.
 *
 * @param raw the TCP socket under the response: only that one can be reset
 */
export function cutResponse (response: ServerResponse, raw: Socket, how: Cut): void {
  if (how === 'stall') return
  if (how === 'end') {
    response.end()
    return
  }
  // Callbacks run in the order of the writes.
  response.socket?.write('', () => {
    if (how === 'fin') raw.end()
    // Bytes and RST that arrive together look like bytes and FIN to libuv: a client in this process reads the bytes first.
    else setImmediate(() => { setImmediate(() => { raw.resetAndDestroy() }) })
  })
}

function endsEvery (bytes: Buffer, size: number): number[] {
  return Array.from({ length: Math.ceil(bytes.length / size) - 1 }, (_, index) => (index + 1) * size)
}

// After each lead byte of a UTF-8 sequence (11xxxxxx): the rest of the character is in the next piece.
function endsWithinCharacters (bytes: Buffer): number[] {
  return [...bytes.keys()].filter(index => (bytes[index]! & 0xC0) === 0xC0).map(index => index + 1)
}
