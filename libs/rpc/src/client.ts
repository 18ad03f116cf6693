// The calling side of the contract: every call typed by its row of the table, checked, bounded in number and in time.
// Failures are data; it never retries and never keeps state about the proxy.
import type { Clock } from '#core/clock.js'
import { err, type Result } from '#core/result.js'
import { eventKinds, rpcCalls, type EventKind, type RpcCall, type RpcEvent, type RpcInput, type RpcName, type RpcReply } from './contract.js'
import { eventFromLine, MAX_EVENT_LINE_BYTES } from './event-lines.js'
import type { RpcErrorCode, RpcFailure } from './failure.js'
import { openUnixTransport } from './http-transport.js'
import { jsonFrom } from './json-from.js'
import { LineCalls } from './line-calls.js'
import { LineSplitter } from './line-splitter.js'
import { late, outcomeOf, refusedResponse, unreachable } from './outcome.js'
import type { CallParts, LastingRequest, RpcTransport } from './transport.js'

export interface RpcClientBounds {
  /** How long a call may take unless it says otherwise, in milliseconds. */
  readonly deadlineMs: number
  /** Calls under way at once; one more fails with BUSY. */
  readonly maxInFlight: number
  readonly clock: Clock
}

export interface RpcClientOptions extends RpcClientBounds {
  readonly socketPath: string
}

export interface CallOptions {
  readonly deadlineMs?: number
}

export interface RpcClient {
  readonly call: <Name extends RpcName>(name: Name, input: RpcInput<Name>, options?: CallOptions) => Promise<Result<RpcReply<Name>, RpcFailure>>
  /** Reads `GET /v1/events`, of these kinds (all of them by default), until the stream ends, which it always does with a failure: UNREACHABLE (ended, or aborted by `signal`), DEADLINE (silence), INTERNAL (a line that is not an event). */
  readonly events: (onEvent: (event: RpcEvent) => void, signal: AbortSignal, kinds?: readonly EventKind[], epoch?: number) => Promise<RpcFailure>
  /** Ends every call under way with UNREACHABLE. */
  readonly close: () => Promise<void>
}

/** Silence on the event stream after which it counts as dead, in milliseconds. The proxy sends a line every 5 s. */
export const EVENTS_IDLE_MS = 15_000

/** A client of the proxy behind `socketPath`. Connects when first called. */
export function createRpcClient ({ socketPath, ...bounds }: RpcClientOptions): RpcClient {
  return rpcClientOver(openUnixTransport(socketPath, bounds.maxInFlight), bounds)
}

/** A client on any way to the proxy; the way is the client's own from now on. */
export function rpcClientOver (transport: RpcTransport, { deadlineMs, maxInFlight, clock }: RpcClientBounds): RpcClient {
  const lineCalls = lineCallsOf(transport, clock)
  const readings = new Set<Promise<RpcFailure>>()
  let inFlight = 0

  const exchange = async (name: RpcName, parts: CallParts, limitMs: number): Promise<Result<unknown, RpcFailure>> => {
    const lines = lineCalls.get(name)
    if (lines !== undefined) return await lines.call(parts.body, limitMs)
    const deadline = new AbortController()
    const cancel = clock.after(limitMs, () => { deadline.abort() })
    try {
      const { status, text } = await transport.call(name, parts, deadline.signal)
      return outcomeOf(name, status, jsonFrom(text))
    } catch (error) {
      if (deadline.signal.aborted) return err(late(limitMs))
      return err(unreachable(error))
    } finally {
      cancel()
    }
  }

  return {
    call: async (name, input, options) => {
      if (inFlight >= maxInFlight) return err({ code: 'BUSY', message: `${inFlight} calls are under way.` })
      inFlight++
      try {
        return await exchange(name, input as CallParts, options?.deadlineMs ?? deadlineMs) as Result<RpcReply<typeof name>, RpcFailure>
      } finally {
        inFlight--
      }
    },
    events: async (onEvent, signal, kinds = eventKinds, epoch) => {
      if (signal.aborted) return aborted
      const reading = readEvents(transport.openEvents(kinds, epoch), clock, onEvent, signal)
      readings.add(reading)
      return await reading.finally(() => { readings.delete(reading) })
    },
    close: async () => {
      for (const lines of lineCalls.values()) lines.close()
      await transport.close()
      await Promise.all(readings)
    }
  }
}

const aborted: RpcFailure = { code: 'UNREACHABLE', message: 'The event stream was given up.' }

/** What calls line by line, by name. */
function lineCallsOf (transport: RpcTransport, clock: Clock): ReadonlyMap<RpcName, LineCalls> {
  const rows = Object.entries(rpcCalls) as [RpcName, RpcCall][]
  return new Map(rows.flatMap(([name, { lines }]) => lines === undefined ? [] : [[name, new LineCalls({ transport, name, clock })]]))
}

async function readEvents (request: LastingRequest, clock: Clock, onEvent: (event: RpcEvent) => void, signal: AbortSignal): Promise<RpcFailure> {
  let failure: RpcFailure | undefined
  const end = (code: RpcErrorCode, message: string): void => {
    failure ??= { code, message }
    request.cut()
  }
  const splitter = new LineSplitter(MAX_EVENT_LINE_BYTES, line => {
    if (failure !== undefined) return
    const event = eventFromLine(line)
    if (event.ok) onEvent(event.value)
    else end('INTERNAL', 'A line of the event stream is not an event.')
  })
  let heardAt = clock.now()
  const stopWatch = clock.every(EVENTS_IDLE_MS / 15, () => {
    if (clock.now() - heardAt >= EVENTS_IDLE_MS) end('DEADLINE', `The event stream was silent for ${EVENTS_IDLE_MS} ms.`)
  })
  const giveUp = (): void => { end(aborted.code, aborted.message) }
  signal.addEventListener('abort', giveUp)
  try {
    const { status, body } = await request.response
    if (status !== 200) return await refusedResponse(status, body)
    for await (const chunk of body) {
      heardAt = clock.now()
      if (!splitter.push(chunk).ok) end('INTERNAL', `A line of the event stream is longer than ${MAX_EVENT_LINE_BYTES} bytes.`)
    }
    return failure ?? { code: 'UNREACHABLE', message: 'The event stream ended.' }
  } catch (error) {
    return failure ?? unreachable(error)
  } finally {
    signal.removeEventListener('abort', giveUp)
    stopWatch()
    request.cut()
  }
}
