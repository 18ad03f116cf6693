// The serving side of the contract: registers every row of the table on a Fastify instance, checked by its schemas.
import type { TSchema } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { Value } from '@sinclair/typebox/value'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Result } from '#core/result.js'
import { rpcCalls, type RpcInput, type RpcName, type RpcReply } from './contract.js'
import { rpcErrors, type RpcFailure } from './failure.js'

type Answer<Value> = Result<Value, RpcFailure> | Promise<Result<Value, RpcFailure>>

/** One function per row of the table. */
export type RpcHandlers = { readonly [Name in RpcName]: (input: RpcInput<Name>) => Answer<RpcReply<Name>> }

type AnyHandler = (input: unknown) => Answer<unknown>

/** Adds all calls to `app`, and an error handler that answers with codes of the contract and reports bugs to `onBug`. */
export function registerRpc (app: FastifyInstance, handlers: RpcHandlers, onBug: (error: Error) => void): void {
  app.setValidatorCompiler<TSchema>(({ schema, httpPart }) => validator(schema, httpPart === 'querystring'))
  for (const name of Object.keys(rpcCalls) as RpcName[]) registerCall(app, name, handlers[name] as AnyHandler)
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const isCallerFault = error.statusCode !== undefined && error.statusCode < 500
    if (!isCallerFault) onBug(error)
    const failure: RpcFailure = isCallerFault ? { code: 'INVALID', message: error.message } : { code: 'INTERNAL', message: 'see the log of the proxy' }
    return reply.code(rpcErrors[failure.code].status).send(failure)
  })
}

function registerCall (app: FastifyInstance, name: RpcName, handler: AnyHandler): void {
  const call: { method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, params?: TSchema, query?: TSchema, body?: TSchema, reply: TSchema } = rpcCalls[name]
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
      const result = await handler({ params: request.params, query: request.query, body: request.body })
      return await (result.ok ? reply.send(result.value) : reply.code(rpcErrors[result.error.code].status).send(result.error))
    }
  })
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
