// The calling side of the contract: HTTP/1.1 over a Unix socket, every call typed by its row of the table, checked,
// bounded in number and in time. Failures are data; it never retries and never keeps state about the proxy.
import type { Client, Dispatcher } from 'undici'
import type { Clock } from '#core/clock.js'
import { err, type Result } from '#core/result.js'
import { openConnection, openPool } from './connections.js'
import { eventKinds, eventsPath, rpcCalls, type EventKind, type RpcCall, type RpcEvent, type RpcInput, type RpcName, type RpcReply } from './contract.js'
import { eventFromLine, MAX_EVENT_LINE_BYTES } from './event-lines.js'
import type { RpcErrorCode, RpcFailure } from './failure.js'
import { jsonFrom } from './json-from.js'
import { LineCalls } from './line-calls.js'
import { LineSplitter } from './line-splitter.js'
import { failureFrom, late, outcomeOf, unreachable } from './outcome.js'

export interface RpcClientOptions {
  readonly socketPath: string
  /** How long a call may take unless it says otherwise, in milliseconds. */
  readonly deadlineMs: number
  /** Calls under way at once; one more fails with BUSY. */
  readonly maxInFlight: number
  readonly clock: Clock
}

export interface CallOptions {
  readonly deadlineMs?: number
}

export interface RpcClient {
  readonly call: <Name extends RpcName>(name: Name, input: RpcInput<Name>, options?: CallOptions) => Promise<Result<RpcReply<Name>, RpcFailure>>
  /** Reads `GET /v1/events`, of these kinds (all of them by default), until the stream ends, which it always does with a failure: UNREACHABLE (ended, or aborted by `signal`), DEADLINE (silence), INTERNAL (a line that is no event). */
  readonly events: (onEvent: (event: RpcEvent) => void, signal: AbortSignal, kinds?: readonly EventKind[], epoch?: number) => Promise<RpcFailure>
  /** Ends every call under way with UNREACHABLE. */
  readonly close: () => Promise<void>
}

/** Silence on the event stream after which it counts as dead, in milliseconds. The proxy sends a line every 5 s. */
export const EVENTS_IDLE_MS = 15_000

interface CallParts {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string | number | undefined>>
  readonly body?: unknown
}

/** A client of the proxy behind `socketPath`. Connects when first called. */
export function createRpcClient (options: RpcClientOptions): RpcClient {
  const { socketPath, clock } = options
  const pool = openPool(socketPath, options.maxInFlight)
  const lineCalls = lineCallsOf(options)
  const streams = new Set<Client>()
  let inFlight = 0

  const exchange = async (name: RpcName, parts: CallParts, deadlineMs: number): Promise<Result<unknown, RpcFailure>> => {
    const lines = lineCalls.get(name)
    if (lines !== undefined) return await lines.call(parts.body, deadlineMs)
    const deadline = new AbortController()
    const cancel = clock.after(deadlineMs, () => { deadline.abort() })
    try {
      const reply = await pool.request({ ...requestOf(name, parts), signal: deadline.signal })
      return outcomeOf(name, reply.statusCode, jsonFrom(await reply.body.text()))
    } catch (error) {
      if (deadline.signal.aborted) return err(late(deadlineMs))
      return err(unreachable(error))
    } finally {
      cancel()
    }
  }

  return {
    call: async (name, input, callOptions) => {
      if (inFlight >= options.maxInFlight) return err({ code: 'BUSY', message: `${inFlight} calls are under way.` })
      inFlight++
      try {
        return await exchange(name, input as CallParts, callOptions?.deadlineMs ?? options.deadlineMs) as Result<RpcReply<typeof name>, RpcFailure>
      } finally {
        inFlight--
      }
    },
    events: async (onEvent, signal, kinds = eventKinds, epoch) => {
      const client = openConnection(socketPath)
      streams.add(client)
      const failure = await readEvents(client, clock, onEvent, signal, eventsPath(kinds, epoch))
      streams.delete(client)
      await client.destroy()
      return failure
    },
    close: async () => {
      for (const lines of lineCalls.values()) lines.close()
      await Promise.all([pool.destroy(), ...[...streams].map(async client => { await client.destroy() })])
    }
  }
}

/** What calls line by line, by name. */
function lineCallsOf ({ socketPath, clock }: RpcClientOptions): ReadonlyMap<RpcName, LineCalls> {
  const rows = Object.entries(rpcCalls) as [RpcName, RpcCall][]
  return new Map(rows.flatMap(([name, { lines: path }]) => path === undefined ? [] : [[name, new LineCalls({ socketPath, name, path, clock })]]))
}

function requestOf (name: RpcName, { params, query, body }: CallParts): Dispatcher.RequestOptions {
  const { method, path } = rpcCalls[name]
  const filled = path.replace(/:(\w+)/g, (_, param: string) => encodeURIComponent(params?.[param] ?? ''))
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query ?? {})) if (value !== undefined) search.set(key, String(value))
  const request = { method, path: search.size > 0 ? `${filled}?${search.toString()}` : filled }
  return body === undefined ? request : { ...request, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

async function readEvents (client: Client, clock: Clock, onEvent: (event: RpcEvent) => void, signal: AbortSignal, path: string): Promise<RpcFailure> {
  const ending = new AbortController()
  let failure: RpcFailure | undefined
  const end = (code: RpcErrorCode, message: string): void => {
    failure ??= { code, message }
    ending.abort()
  }
  const splitter = new LineSplitter(MAX_EVENT_LINE_BYTES, line => {
    if (failure !== undefined) return
    const event = eventFromLine(line)
    if (event.ok) onEvent(event.value)
    else end('INTERNAL', 'A line of the event stream is no event.')
  })
  let heardAt = clock.now()
  const stopWatch = clock.every(EVENTS_IDLE_MS / 15, () => {
    if (clock.now() - heardAt >= EVENTS_IDLE_MS) end('DEADLINE', `The event stream was silent for ${EVENTS_IDLE_MS} ms.`)
  })
  try {
    const reply = await client.request({ method: 'GET', path, signal: AbortSignal.any([signal, ending.signal]) })
    if (reply.statusCode !== 200) return failureFrom(reply.statusCode, jsonFrom(await reply.body.text()))
    for await (const chunk of reply.body as AsyncIterable<Uint8Array>) {
      heardAt = clock.now()
      if (!splitter.push(chunk).ok) end('INTERNAL', `A line of the event stream is longer than ${MAX_EVENT_LINE_BYTES} bytes.`)
    }
    return failure ?? { code: 'UNREACHABLE', message: 'The event stream ended.' }
  } catch (error) {
    return failure ?? unreachable(error)
  } finally {
    stopWatch()
  }
}
