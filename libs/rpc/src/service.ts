// The serving side of the contract: every call checked by the schemas of its row, done by its handler, and answered with
// what travels back. It knows no socket: server.ts puts it behind one, a simulation does so in its own way.
import type { TSchema } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { Value } from '@sinclair/typebox/value'
import type { Result } from '#core/result.js'
import { MAX_RPC_BODY_BYTES, rpcCalls, type RpcCall, type RpcInput, type RpcName, type RpcReply } from './contract.js'
import { rpcErrors, type RpcFailure } from './failure.js'
import { jsonFrom } from './json-from.js'
import { converse } from './serve-lines.js'
import type { LinesOut } from './transport.js'

type Answer<Value> = Result<Value, RpcFailure> | Promise<Result<Value, RpcFailure>>

/** One function per row of the table. */
export type RpcHandlers = { readonly [Name in RpcName]: (input: RpcInput<Name>) => Answer<RpcReply<Name>> }

/** An answer as it travels: the HTTP status, and a body that becomes JSON. */
export interface RpcAnswer {
  readonly status: number
  readonly body: unknown
}

/** What came in a call, by the parts of its row. Queries are text. */
export interface RpcRequest {
  readonly params?: unknown
  readonly query?: unknown
  readonly body?: unknown
}

/** Who answers `GET /v1/events`. */
export interface EventSource {
  /** Writes events to `out` from now on; or says what is wrong with the query, and never touches `out`. */
  readonly read: (query: Readonly<Record<string, unknown>>, out: LinesOut) => RpcFailure | undefined
}

export interface RpcServiceParts {
  readonly handlers: RpcHandlers
  readonly events: EventSource
  /** A handler has thrown; the caller is told INTERNAL. */
  readonly onBug: (error: Error) => void
}

export interface RpcService {
  /** Does a call. Never rejects. */
  readonly answer: (name: RpcName, request: RpcRequest) => Promise<RpcAnswer>
  /** Does the calls that come line by line in a request's body, one after the other, each answered by a line. Never rejects. */
  readonly converse: (name: RpcName, body: AsyncIterable<Uint8Array>, out: LinesOut) => Promise<void>
  /** Writes events to `out` from now on; or answers what is wrong with the query, and never touches `out`. */
  readonly events: (query: Readonly<Record<string, unknown>>, out: LinesOut) => RpcAnswer | undefined
}

type AnyHandler = (input: unknown) => Answer<unknown>

export function createRpcService ({ handlers, events, onBug }: RpcServiceParts): RpcService {
  const checks = new Map(Object.entries(rpcCalls).map(([name, call]) => [name as RpcName, checkOf(call)]))
  const answer: RpcService['answer'] = async (name, request) => {
    const checked = checks.get(name)!(request)
    if (!checked.ok) return invalid(checked.error)
    try {
      const result = await (handlers[name] as AnyHandler)(checked.value)
      return result.ok ? { status: 200, body: result.value } : refusal(result.error)
    } catch (error) {
      onBug(error as Error)
      return bug
    }
  }
  return {
    answer,
    converse: async (name, body, out) => {
      await converse(body, out, { answer: async line => await answer(name, { body: jsonFrom(line) }), tooLong })
    },
    events: (query, out) => {
      const failure = events.read(query, out)
      return failure && refusal(failure)
    }
  }
}

/** What is said to a call that does not fit the contract. */
export function invalid (message: string): RpcAnswer {
  return refusal({ code: 'INVALID', message })
}

/** What is said of a bug; the log has the rest. */
export const bug = refusal({ code: 'INTERNAL', message: 'see the log of the proxy' })

const tooLong = invalid(`A line is longer than ${MAX_RPC_BODY_BYTES} bytes.`)

function refusal (failure: RpcFailure): RpcAnswer {
  return { status: rpcErrors[failure.code].status, body: failure }
}

// The same checks as on the calling side. Query strings are text and are converted first; nothing else is.
function checkOf (call: RpcCall): (request: RpcRequest) => Result<RpcRequest, string> {
  const parts = (['params', 'query', 'body'] as const).flatMap(part => {
    const { [part]: schema } = call
    return schema === undefined ? [] : [{ part, schema, check: TypeCompiler.Compile<TSchema>(schema) }]
  })
  return request => {
    const checked = { ...request }
    for (const { part, schema, check } of parts) {
      const value = part === 'query' ? Value.Convert(schema, request.query) : request[part]
      const fault = check.Check(value) ? undefined : check.Errors(value).First()
      if (fault !== undefined) return { ok: false, error: `${fault.path}: ${fault.message}` }
      checked[part] = value
    }
    return { ok: true, value: checked }
  }
}
