// The serving side over HTTP: every row of the table is a route of a Fastify instance.
import type { ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { EVENTS_PATH, LINES_CONTENT_TYPE, rpcCalls, type RpcCall, type RpcName } from './contract.js'
import { bug, invalid, type RpcService } from './service.js'
import type { LinesOut } from './transport.js'

/** Adds all calls and the events to `app`, and an error handler that answers with codes of the contract and reports bugs to `onBug`. */
export function registerRpc (app: FastifyInstance, service: RpcService, onBug: (error: Error) => void): void {
  for (const name of Object.keys(rpcCalls) as RpcName[]) {
    registerCall(app, name, service)
    registerLines(app, name, service)
  }
  app.get<{ Querystring: Record<string, unknown> }>(EVENTS_PATH, (request, reply) => {
    const refusal = service.events(request.query, linesOut(reply.raw))
    if (refusal !== undefined) return reply.code(refusal.status).send(refusal.body)
    return reply.hijack()
  })
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const isCallerFault = error.statusCode !== undefined && error.statusCode < 500
    if (!isCallerFault) onBug(error)
    const { status, body } = isCallerFault ? invalid(error.message) : bug
    return reply.code(status).send(body)
  })
}

function registerCall (app: FastifyInstance, name: RpcName, service: RpcService): void {
  const call: RpcCall = rpcCalls[name]
  app.route({
    method: call.method,
    url: call.path,
    // The service checks what comes in.
    schema: { response: { 200: call.reply } },
    handler: async ({ params, query, body }, reply) => {
      const { status, body: said } = await service.answer(name, { params, query, body })
      return await reply.code(status as 200).send(said)
    }
  })
}

function registerLines (app: FastifyInstance, name: RpcName, service: RpcService): void {
  const { lines: path }: RpcCall = rpcCalls[name]
  if (path === undefined) return
  // In a scope of its own: here, and only here, a body is not a document.
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, parsed) => { parsed(null) })
    scope.post(path, (request, reply) => {
      reply.hijack()
      reply.raw.writeHead(200, head).flushHeaders()
      void service.converse(name, request.raw, linesOut(reply.raw))
    })
    done()
  })
}

const head = { 'content-type': LINES_CONTENT_TYPE }

function linesOut (response: ServerResponse): LinesOut {
  let isClosed = false
  response.once('close', () => { isClosed = true })
  return {
    write: text => {
      if (!response.headersSent) response.writeHead(200, head)
      return response.write(text)
    },
    end: async () => {
      await new Promise<void>(resolve => {
        if (isClosed) resolve()
        response.once('finish', resolve).once('close', resolve).end()
      })
    },
    cut: () => { response.destroy() },
    get isOver () { return isClosed || response.writableEnded },
    onDrain: run => { response.on('drain', run) },
    onClose: run => { response.once('close', run) }
  }
}
