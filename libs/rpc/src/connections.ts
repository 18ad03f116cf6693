// How the calling side connects: to a Unix socket, with deadlines of its own.
import { Client, Pool } from 'undici'

/** Longest reply, in bytes. A page of 1000 sessions is below one MiB. */
export const MAX_REPLY_BYTES = 8 * 1024 * 1024

// The host is a formality over a Unix socket; it only has to be a valid one.
const ORIGIN = 'http://proxy'

// Time is the caller's business: undici's own limits would end what lasts.
const ours = { pipelining: 1, headersTimeout: 0, bodyTimeout: 0 } as const

/** For calls, each of which has a connection to itself while it is under way. */
export function openPool (socketPath: string, connections: number): Pool {
  return new Pool(ORIGIN, { ...ours, socketPath, connections, maxResponseSize: MAX_REPLY_BYTES })
}

/** For one request that lasts: it must neither take a call's place nor be bound by a reply's length. */
export function openConnection (socketPath: string): Client {
  return new Client(ORIGIN, { ...ours, socketPath })
}
