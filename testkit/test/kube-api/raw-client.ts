// A client that hides nothing: whole answers, and watches line by line with the way they ended.
import { once } from 'node:events'
import { get as httpGet, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { KubeApi } from '#testkit/kube-api/start-kube-api.js'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** Chunks as they arrived. */
  readonly chunks: readonly Buffer[]
  /** An error's code if the body did not end as it should. */
  readonly broken: string | undefined
  readonly body: any
}

export async function get (api: KubeApi, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await open(api, path, headers)
  const chunks: Buffer[] = []
  response.on('data', (chunk: Buffer) => { chunks.push(chunk) })
  const broken = await ended(response)
  const text = Buffer.concat(chunks).toString()
  const isJson = broken === undefined && text.startsWith('{') && text.endsWith('}\n')
  return { status: response.statusCode ?? 0, headers: response.headers, text, chunks, broken, body: isJson ? JSON.parse(text) : undefined }
}

export interface RawWatch {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly chunks: readonly Buffer[]
  /** Everything received so far. */
  readonly text: () => string
  /** Resolves with all whole lines once there are `count` of them. */
  readonly lines: (count: number) => Promise<string[]>
  /** As `lines`, parsed. */
  readonly events: (count: number) => Promise<any[]>
  /** The error's code, or undefined for an orderly end. */
  readonly ended: Promise<string | undefined>
  readonly leave: () => void
}

export async function watch (api: KubeApi, path: string): Promise<RawWatch> {
  const response = await open(api, path, {})
  const chunks: Buffer[] = []
  let ends = 0
  let look = (): void => { /* Nobody waits yet. */ }
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) ends++
    look()
  })
  const text = (): string => Buffer.concat(chunks).toString()
  const lines = async (count: number): Promise<string[]> => await new Promise(resolve => {
    look = () => { if (ends >= count) resolve(text().split('\n').slice(0, -1)) }
    look()
  })
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    chunks,
    text,
    lines,
    events: async count => (await lines(count)).map(line => JSON.parse(line)),
    ended: ended(response),
    leave: () => { response.destroy() }
  }
}

async function open (api: KubeApi, path: string, headers: Record<string, string>): Promise<IncomingMessage> {
  const request = httpGet(`${api.url}${path}`, { agent: false, headers })
  request.on('error', () => { /* Before the answer it rejects below; after that `ended` tells. */ })
  const [response] = await once(request, 'response') as [IncomingMessage]
  return response
}

async function ended (response: IncomingMessage): Promise<string | undefined> {
  return await new Promise(resolve => {
    response.once('end', () => { resolve(undefined) })
    response.once('error', (error: NodeJS.ErrnoException) => { resolve(error.code) })
  })
}

/** One GET over a bare TCP connection: all bytes of the answer, and whether a FIN or a RST came after them. */
export async function exchange (api: KubeApi, path: string): Promise<{ text: string, end: 'fin' | 'reset' }> {
  const socket = connect(Number(new URL(api.url).port), '127.0.0.1')
  socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`)
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
  const end = await new Promise<'fin' | 'reset'>(resolve => {
    socket.once('end', () => { resolve('fin') })
    socket.once('error', () => { resolve('reset') })
  })
  return { text, end }
}
