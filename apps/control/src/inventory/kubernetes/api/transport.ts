// Requests to one API server: keep-alive connections over HTTP/1.1, one for each open watch. It knows HTTP and TLS and
// nothing of lists and versions; time limits are its callers', who abort.
import { Agent, Pool, ProxyAgent, type Dispatcher } from 'undici'
import { err, ok, type Result } from '#core/result.js'
import type { Access, Credentials } from './access.js'
import { failureFromError, failureFromStatus, type ApiFailure } from './api-failure.js'

export type Query = Readonly<Record<string, string | number>>

export interface RequestControl {
  /** Ends the request, wherever it is. */
  readonly signal: AbortSignal
  /** Called when the server showed that it is there. */
  readonly onLife: () => void
}

/** The body of an answer, read piece by piece. */
export interface ByteStream {
  /** The next bytes; undefined at the end; a failure if the connection broke or was aborted. */
  readonly next: () => Promise<Result<Buffer | undefined, ApiFailure>>
  /** Ends the connection if anything is left to come. */
  readonly destroy: () => void
}

export interface Transport {
  /** The JSON at `path`. */
  readonly list: (path: string, query: Query, control: RequestControl) => Promise<Result<unknown, ApiFailure>>
  /** An answer without end at `path`. */
  readonly watch: (path: string, query: Query, control: RequestControl) => Promise<Result<ByteStream, ApiFailure>>
  /** The credentials were refused: they are read again before the next request. */
  readonly refreshCredentials: () => void
  /** Another one than before if the files that the credentials come from have changed. */
  readonly credentialsMark: () => Promise<string>
  /** Ends every request and connection. */
  readonly close: () => Promise<void>
}

// A page of 500 objects has a few megabytes; what is larger than this would fell us.
const MAX_LIST_BYTES = 256 * 1024 * 1024
// Of an answer that is an error only the message is of interest.
const MAX_ERROR_BYTES = 64 * 1024
const CONNECT_TIMEOUT_MS = 10_000
// With Linux's ten probes a second apart, a peer that is gone is noticed within 40 s.
const TCP_KEEP_ALIVE_MS = 30_000

export function createTransport (credentials: Credentials): Transport {
  const agents = new AgentPool()

  const request = async (path: string, query: Query, control: RequestControl): Promise<Result<ByteStream, ApiFailure>> => {
    // A credentials plugin may hang, and knows nothing of our signal.
    const access = await Promise.race([credentials.access(), abortOf(control.signal)])
    if (!access.ok) return err({ reason: 'no_credentials', detail: access.error })
    const answer = await send(agents.agentFor(access.value), access.value, withQuery(path, query), control.signal)
    if (!answer.ok) return answer
    control.onLife()
    const stream = streamOf(answer.value, control.onLife)
    return answer.value.statusCode === 200 ? ok(stream) : err(await failureOf(answer.value, stream))
  }

  return {
    list: async (path, query, control) => {
      const stream = await request(path, query, control)
      if (!stream.ok) return stream
      const json = await jsonFrom(stream.value)
      return json.ok ? json : err({ ...json.error, isPartial: true })
    },
    watch: request,
    refreshCredentials: () => { credentials.refresh() },
    credentialsMark: async () => await credentials.mark?.() ?? '',
    close: () => agents.close()
  }
}

// One agent for the server, certificates and proxy of the moment. When these change, requests under way end with the former.
class AgentPool {
  readonly #retired = new Set<Dispatcher>()
  #latest: { readonly key: string, readonly agent: Dispatcher } | undefined

  agentFor (access: Access): Dispatcher {
    const { baseUrl, tls, proxyUrl } = access
    const key = JSON.stringify([baseUrl, tls, proxyUrl])
    if (this.#latest?.key === key) return this.#latest.agent
    if (this.#latest !== undefined) this.#retire(this.#latest.agent)
    const agent = createAgent(access)
    this.#latest = { key, agent }
    return agent
  }

  async close (): Promise<void> {
    const agents = this.#latest === undefined ? [...this.#retired] : [...this.#retired, this.#latest.agent]
    await Promise.all(agents.map(async agent => { await agent.destroy() }))
  }

  #retire (agent: Dispatcher): void {
    this.#retired.add(agent)
    void agent.close().then(() => { this.#retired.delete(agent) })
  }
}

function createAgent ({ tls, proxyUrl }: Access): Dispatcher {
  // Callers have a clock of their own, whose limits differ between lists and watches.
  const withoutLimits = { headersTimeout: 0, bodyTimeout: 0 }
  const connect = { timeout: CONNECT_TIMEOUT_MS, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS }
  if (proxyUrl === undefined) return new Agent({ ...withoutLimits, connect: { ...tls, ...connect } })
  return new ProxyAgent({
    ...withoutLimits,
    uri: proxyUrl,
    // Always a tunnel, to a server without TLS too: the proxy reads no token. Its own certificate is checked as any other's.
    requestTls: { ...tls, timeout: CONNECT_TIMEOUT_MS },
    proxyTls: connect,
    // This client asks for tunnels only: a proxy that accepts and says nothing is as good as one that is not there.
    clientFactory: (origin, options) => new Pool(origin, { ...options, headersTimeout: CONNECT_TIMEOUT_MS })
  })
}

async function abortOf (signal: AbortSignal): Promise<Result<never, string>> {
  if (!signal.aborted) await new Promise(resolve => { signal.addEventListener('abort', resolve, { once: true }) })
  return err('the credentials plugin gave no answer in time')
}

async function send (agent: Dispatcher, { baseUrl, headers }: Access, path: string, signal: AbortSignal): Promise<Result<Dispatcher.ResponseData, ApiFailure>> {
  const { origin, pathname } = new URL(baseUrl)
  try {
    // No accept-encoding: a compressed watch would keep events in the compressor's window.
    return ok(await agent.request({
      origin,
      path: pathname.replace(/\/$/, '') + path,
      method: 'GET',
      headers: { ...headers, accept: 'application/json', 'user-agent': 'udp-director' },
      signal
    }))
  } catch (error) {
    return err(failureFromError(error))
  }
}

function streamOf ({ body }: Dispatcher.ResponseData, onLife: () => void): ByteStream {
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>
  // Whatever is wrong comes out of `next`; without a listener it would end the process too.
  body.on('error', () => undefined)
  return {
    next: async () => {
      try {
        const { done, value } = await chunks.next()
        if (done === true) return ok(undefined)
        onLife()
        return ok(value)
      } catch (error) {
        return err(failureFromError(error))
      }
    },
    destroy: () => { body.destroy() }
  }
}

async function jsonFrom (stream: ByteStream): Promise<Result<unknown, ApiFailure>> {
  const text = await textFrom(stream, MAX_LIST_BYTES)
  if (!text.ok) return text
  try {
    return ok(JSON.parse(text.value))
  } catch {
    return err({ reason: 'malformed', detail: 'the answer is not JSON' })
  }
}

async function textFrom (stream: ByteStream, maxBytes: number): Promise<Result<string, ApiFailure>> {
  const chunks: Buffer[] = []
  let bytes = 0
  for (;;) {
    const chunk = await stream.next()
    if (!chunk.ok) return chunk
    if (chunk.value === undefined) return ok(Buffer.concat(chunks).toString())
    chunks.push(chunk.value)
    bytes += chunk.value.length
    if (bytes > maxBytes) {
      stream.destroy()
      return err({ reason: 'malformed', detail: `the answer is longer than ${maxBytes} bytes` })
    }
  }
}

async function failureOf ({ statusCode, headers }: Dispatcher.ResponseData, stream: ByteStream): Promise<ApiFailure> {
  const text = await textFrom(stream, MAX_ERROR_BYTES)
  const retryAfter = headers['retry-after']
  return failureFromStatus(text.ok ? jsonOrNothing(text.value) : undefined, statusCode, typeof retryAfter === 'string' ? retryAfter : undefined)
}

// A proxy in between answers in HTML.
function jsonOrNothing (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function withQuery (path: string, query: Query): string {
  return `${path}?${new URLSearchParams(Object.entries(query).map(([name, value]): [string, string] => [name, String(value)])).toString()}`
}
