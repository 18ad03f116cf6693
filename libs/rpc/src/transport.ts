// Carries calls from one side of the contract to the other: HTTP over a Unix socket (http-transport.ts on the calling side,
// server.ts on the other), or a simulated network. It does not know what the calls are.
import type { EventKind, RpcName } from './contract.js'

/** Longest reply, in bytes. A page of 1000 sessions is below one MiB. */
export const MAX_REPLY_BYTES = 8 * 1024 * 1024

/** What is said in a call, by the parts of its row in the table. */
export interface CallParts {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string | number | undefined>>
  readonly body?: unknown
}

/** One request that lasts, on a connection of its own. */
export interface LastingRequest {
  /** Sends more of the request's body. */
  readonly send: (text: string) => void
  /** The response, from its head on. Rejects as `call` does, and so does its body in the middle. */
  readonly response: Promise<{ readonly status: number, readonly body: AsyncIterable<Uint8Array> }>
  /** Cuts the connection. What is under way on it is over. */
  readonly cut: () => void
}

/** The calling side. What cannot be reached, or goes away in the middle, is an error that has a `code`. */
export interface RpcTransport {
  /** One call by itself; rejects when `signal` is aborted. The answer's status is HTTP's, its text JSON. */
  readonly call: (name: RpcName, parts: CallParts, signal: AbortSignal) => Promise<{ readonly status: number, readonly text: string }>
  /** Begins a request whose body is a call in each line, and whose response an answer in each. */
  readonly openLines: (name: RpcName) => LastingRequest
  /** Begins to read the events of these kinds. */
  readonly openEvents: (kinds: readonly EventKind[], epoch: number | undefined) => LastingRequest
  /** Cuts every connection. */
  readonly close: () => Promise<void>
}

/** The serving side's end of a response that lasts. */
export interface LinesOut {
  /** Begins the response if it has not begun. False once more waits than should: `onDrain` tells when that is gone. */
  readonly write: (text: string) => boolean
  /** No more is written; resolves when the rest has left. */
  readonly end: () => Promise<void>
  /** Cuts the connection. */
  readonly cut: () => void
  /** After `end`, and once the other side is gone. */
  readonly isOver: boolean
  readonly onDrain: (run: () => void) => void
  readonly onClose: (run: () => void) => void
}
