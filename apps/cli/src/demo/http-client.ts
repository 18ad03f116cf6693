// What the demo asks a director over HTTP, with the few fields it looks at.
import { request } from 'undici'
import { HOST, type Ports } from './world.js'
import type { QueryBody } from '../command-line/query-options.js'

/** How long an answer may take, in ms. */
const DEADLINE_MS = 5000

export interface Answer<Body> {
  readonly status: number
  readonly body: Body
}

export interface IssuedToken {
  readonly token: string
  readonly ttlSeconds: number
  readonly dataPorts: ReadonlyArray<{ readonly name: string, readonly port: number }>
}

export interface Health {
  readonly status: string
  readonly inventory: { readonly objects: Readonly<Record<string, number>> }
  readonly defaultEndpoint: { readonly targets: number }
}

export interface Session {
  readonly id: string
  readonly client: string
  readonly target: { readonly key: string }
}

/** Calls to the director on `ports`. They throw when it cannot be reached or its answer is not what it should be. */
export class HttpClient {
  readonly #queryUrl: string
  readonly #adminUrl: string

  constructor ({ query, admin }: Ports) {
    this.#queryUrl = `http://${HOST}:${query}`
    this.#adminUrl = `http://${HOST}:${admin}`
  }

  /** Whether queries can be answered; false too if nobody listens. */
  async isReady (): Promise<boolean> {
    try {
      const { status } = await call(`${this.#queryUrl}/readyz`)
      return status === 200
    } catch {
      return false // not listening yet
    }
  }

  async health (): Promise<Answer<Health>> {
    return await callForJson(`${this.#queryUrl}/healthz`)
  }

  async query (body: QueryBody): Promise<Answer<IssuedToken>> {
    return await callForJson(`${this.#queryUrl}/query`, body)
  }

  async sessions (): Promise<readonly Session[]> {
    const { body } = await callForJson<{ sessions: readonly Session[] }>(`${this.#adminUrl}/sessions`)
    return body.sessions
  }

  /** Metrics in Prometheus' text format. */
  async metrics (): Promise<string> {
    const { text } = await call(`${this.#adminUrl}/metrics`)
    return text
  }
}

// Not fetch: it refuses some ports, and --port-offset 1080 leads to one of them.
async function call (url: string, body?: object): Promise<{ readonly status: number, readonly text: string }> {
  const sent = body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } as const
  const response = await request(url, { ...sent, signal: AbortSignal.timeout(DEADLINE_MS) })
  return { status: response.statusCode, text: await response.body.text() }
}

async function callForJson<Body> (url: string, body?: object): Promise<Answer<Body>> {
  const { status, text } = await call(url, body)
  return { status, body: JSON.parse(text) as Body }
}
