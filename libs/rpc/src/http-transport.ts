// The calling side over HTTP/1.1 on a Unix socket. Time is the caller's business: undici's own limits would end what lasts.
import { Readable } from 'node:stream'
import { Client, Pool, type Dispatcher } from 'undici'
import { eventsPath, LINES_CONTENT_TYPE, rpcCalls, type RpcCall, type RpcName } from './contract.js'
import { MAX_REPLY_BYTES, type CallParts, type LastingRequest, type RpcTransport } from './transport.js'

// The host is a formality over a Unix socket; it only has to be a valid one.
const ORIGIN = 'http://proxy'

const ours = { pipelining: 1, headersTimeout: 0, bodyTimeout: 0 } as const

/**
 * Connects when something is first asked.
 * @param calls under way at once; each has a connection to itself while it is
 */
export function openUnixTransport (socketPath: string, calls: number): RpcTransport {
  const pool = new Pool(ORIGIN, { ...ours, socketPath, connections: calls, maxResponseSize: MAX_REPLY_BYTES })
  const lasting = new Set<Client>()

  // It must neither take a call's place nor be bound by a reply's length.
  const open = (options: Dispatcher.RequestOptions, send: LastingRequest['send']): LastingRequest => {
    const client = new Client(ORIGIN, { ...ours, socketPath })
    lasting.add(client)
    const response = client.request(options).then(({ statusCode, body }) => ({ status: statusCode, body }))
    const cut = (): void => {
      lasting.delete(client)
      void client.destroy()
    }
    return { send, response, cut }
  }

  return {
    call: async (name, parts, signal) => {
      const { statusCode, body } = await pool.request({ ...requestOf(name, parts), signal })
      return { status: statusCode, text: await body.text() }
    },
    openLines: name => {
      const body = new Readable({ read: () => undefined })
      const { lines: path = '' }: RpcCall = rpcCalls[name]
      return open({ method: 'POST', path, headers: { 'content-type': LINES_CONTENT_TYPE }, body }, text => { body.push(text) })
    },
    openEvents: (kinds, epoch) => open({ method: 'GET', path: eventsPath(kinds, epoch) }, () => undefined),
    close: async () => { await Promise.all([pool, ...lasting].map(async connection => { await connection.destroy() })) }
  }
}

function requestOf (name: RpcName, { params, query, body }: CallParts): Dispatcher.RequestOptions {
  const { method, path } = rpcCalls[name]
  const filled = path.replace(/:(\w+)/g, (_, param: string) => encodeURIComponent(params?.[param] ?? ''))
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query ?? {})) if (value !== undefined) search.set(key, String(value))
  const request = { method, path: search.size > 0 ? `${filled}?${search.toString()}` : filled }
  return body === undefined ? request : { ...request, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}
