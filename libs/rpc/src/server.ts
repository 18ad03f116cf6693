// The serving side of the contract: registers every row of the table on a Fastify instance, checked by its schemas.
import type { TSchema } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { Value } from '@sinclair/typebox/value'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Result } from '#core/result.js'
import { MAX_RPC_BODY_BYTES, rpcCalls, type RpcCall, type RpcInput, type RpcName, type RpcReply } from './contract.js'
import { rpcErrors, type RpcFailure } from './failure.js'
import { jsonFrom } from './json-from.js'
import { serveLines, type LineAnswer } from './serve-lines.js'

type Answer<Value> = Result<Value, RpcFailure> | Promise<Result<Value, RpcFailure>>

/** One function per row of the table. */
export type RpcHandlers = { readonly [Name in RpcName]: (input: RpcInput<Name>) => Answer<RpcReply<Name>> }

type AnyHandler = (input: unknown) => Answer<unknown>

/** Adds all calls to `app`, and an error handler that answers with codes of the contract and reports bugs to `onBug`. */
export function registerRpc (app: FastifyInstance, handlers: RpcHandlers, onBug: (error: Error) => void): void {
  app.setValidatorCompiler<TSchema>(({ schema, httpPart }) => validator(schema, httpPart === 'querystring'))
  for (const name of Object.keys(rpcCalls) as RpcName[]) {
    registerCall(app, name, handlers[name] as AnyHandler)
    registerLines(app, name, handlers[name] as AnyHandler, onBug)
  }
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const isCallerFault = error.statusCode !== undefined && error.statusCode < 500
    if (!isCallerFault) onBug(error)
    const { status, body } = isCallerFault ? invalid(error.message) : bug
    return reply.code(status).send(body)
  })
}

const bug = refusal({ code: 'INTERNAL', message: 'see the log of the proxy' })

function invalid (message: string): LineAnswer {
  return refusal({ code: 'INVALID', message })
}

function refusal (failure: RpcFailure): LineAnswer {
  return { status: rpcErrors[failure.code].status, body: failure }
}

async function answerTo (input: unknown, handler: AnyHandler): Promise<LineAnswer> {
  const result = await handler(input)
  return result.ok ? { status: 200, body: result.value } : refusal(result.error)
}

function registerCall (app: FastifyInstance, name: RpcName, handler: AnyHandler): void {
  const call: RpcCall = rpcCalls[name]
  app.route({
    method: call.method,
    url: call.path,
    schema: {
      ...(call.params === undefined ? {} : { params: call.params }),
      ...(call.query === undefined ? {} : { querystring: call.query }),
      ...(call.body === undefined ? {} : { body: call.body }),
      response: { 200: call.reply }
    },
    handler: async (request: FastifyRequest, reply) => {
      const { status, body } = await answerTo({ params: request.params, query: request.query, body: request.body }, handler)
      return await reply.code(status).send(body)
    }
  })
}

function registerLines (app: FastifyInstance, name: RpcName, handler: AnyHandler, onBug: (error: Error) => void): void {
  const { lines: path, body: schema }: RpcCall = rpcCalls[name]
  if (path === undefined || schema === undefined) return
  const validate = validator(schema, false)
  const answer = async (line: string): Promise<LineAnswer> => {
    const checked = validate(jsonFrom(line))
    if ('error' in checked) return invalid(checked.error.message)
    try {
      return await answerTo({ body: checked.value }, handler)
    } catch (error) {
      onBug(error as Error)
      return bug
    }
  }
  serveLines(app, path, { answer, tooLong: invalid(`A line is longer than ${MAX_RPC_BODY_BYTES} bytes.`) })
}

// The same checks as on the calling side. Query strings are text and are converted first; nothing else is.
function validator (schema: TSchema, isText: boolean): (data: unknown) => { value: unknown } | { error: Error } {
  const check = TypeCompiler.Compile(schema)
  return data => {
    const value = isText ? Value.Convert(schema, data) : data
    const fault = check.Check(value) ? undefined : check.Errors(value).First()
    return fault === undefined ? { value } : { error: new Error(`${fault.path}: ${fault.message}`) }
  }
}
