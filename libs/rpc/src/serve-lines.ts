// The serving side of calls that are made line by line: one request that lasts, each line of its body a call, each line
// of the response an answer, in the same order. The next line is not read before the one before it is answered.
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { LINES_CONTENT_TYPE, MAX_RPC_BODY_BYTES } from './contract.js'
import { LineSplitter } from './line-splitter.js'

/** An answer as it would be by itself: the HTTP status and the body. */
export interface LineAnswer {
  readonly status: number
  readonly body: unknown
}

export interface LineService {
  /** Never rejects. */
  readonly answer: (line: string) => Promise<LineAnswer>
  /** What is said of a line longer than a body may be; the request ends with it. */
  readonly tooLong: LineAnswer
}

/** Answers `POST path`. */
export function serveLines (app: FastifyInstance, path: string, service: LineService): void {
  // In a scope of its own: here, and only here, a body is no document.
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, parsed) => { parsed(null) })
    scope.post(path, (request, reply) => {
      reply.hijack()
      void converse(request.raw, reply.raw, service)
    })
    done()
  })
}

async function converse (request: IncomingMessage, response: ServerResponse, { answer, tooLong }: LineService): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => { gone.abort() })
  response.writeHead(200, { 'content-type': LINES_CONTENT_TYPE }).flushHeaders()
  const lines: string[] = []
  const splitter = new LineSplitter(MAX_RPC_BODY_BYTES, line => { lines.push(line) })
  const say = async (answer: LineAnswer): Promise<void> => {
    if (!response.write(`${JSON.stringify(answer)}\n`)) await once(response, 'drain', { signal: gone.signal })
  }
  const answerAll = async (): Promise<void> => { for (const line of lines.splice(0)) await say(await answer(line)) }
  try {
    for await (const chunk of request as AsyncIterable<Uint8Array>) {
      const isOk = splitter.push(chunk).ok
      await answerAll()
      if (isOk) continue
      await say(tooLong)
      await new Promise<void>(resolve => { response.end(resolve) })
      return
    }
    splitter.end()
    await answerAll()
    response.end()
  } catch { // the caller is gone, and nobody is left to be told anything
    response.destroy()
  }
}
