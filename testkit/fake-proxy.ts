// A proxy that forwards nothing: it speaks the contract of libs/rpc over a real Unix socket, remembers what it was told
// and fails on demand. For tests of everything that talks to a proxy.
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { abilities, EVENTS_PATH, eventKinds, eventKindsFrom, LINES_CONTENT_TYPE, MAX_RPC_BODY_BYTES, rpcCalls, type RpcCall, type DrainReply, type EventKind, type GoneTarget, type Hello, type RpcEvent, type RpcName, type Sample, type Session, type Target, type TokenGrant, type TokenRejection } from '#rpc/contract.js'
import { rpcErrors, type RpcErrorCode } from '#rpc/failure.js'
import { MAX_REPLICA_ITEMS, type Answer as AskAnswer, type Binding, type Elsewhere } from '#rpc/replica-schemas.js'
import { LineSplitter } from '#rpc/line-splitter.js'
import { openFolder } from './folder.js'
import { patiently } from './patience.js'

/** What a hook may do with a call instead of the usual answer. */
export type Misbehaviour =
  | { readonly kind: 'error', readonly code: RpcErrorCode, readonly epoch?: number }
  | { readonly kind: 'reply', readonly status: number, readonly text: string }
  /** Does the work, but never answers. */
  | { readonly kind: 'silence' }
  /** Closes the connection without doing the work. */
  | { readonly kind: 'hang-up' }
  /** Does the work and answers once `until` is settled. */
  | { readonly kind: 'delay', readonly until: Promise<unknown> }

export interface ReceivedCall {
  readonly name: RpcName
  readonly body: unknown
}

export interface FakeProxy {
  readonly socketPath: string
  /** Every call, in the order of arrival. */
  readonly calls: ReceivedCall[]
  /** Tokens it would redeem now. */
  readonly tokens: Map<string, TokenGrant>
  readonly sessions: Map<string, Session>
  /** Why tokens became void, by token. */
  readonly voidTokens: Map<string, 'revoked' | 'withdrawn'>
  defaultTargets: readonly Target[]
  /** Of a list whose rest has not come. */
  candidatesSoFar: readonly Target[]
  /** Every target that was said to be gone, in the order of arrival. */
  readonly gone: GoneTarget[]
  /** What control said last, in ms; undefined if it does not drain. */
  drainRemainingMs: number | undefined
  /** What it says is left to wait for. */
  left: Pick<DrainReply, 'sessions' | 'unredeemedTokens' | 'stopping'>
  /** Sessions it says a key has after its target is gone. */
  sessionsLeft: (key: string) => number
  /** Keys that tokens are marked with, as they were told last; undefined if they never were. */
  tokenKeys: readonly string[] | undefined
  /** Every answer to what was asked, in the order of arrival. */
  readonly answers: AskAnswer[]
  /** What it was told of clients elsewhere, in the order of arrival. */
  readonly elsewhere: Elsewhere[]
  /** Sessions that have redeemed a token, as it lists them. */
  readonly bindings: Binding[]
  /** What it says it can be asked for; undefined: it is of an older version. */
  can: readonly string[] | undefined
  samples: readonly Sample[]
  instanceId: string
  epoch: number
  /** Says that a control process is there; undefined: if an event stream is open. */
  controlled: boolean | undefined
  dataPorts: Hello['dataPorts']
  /** Asked before every call; undefined lets it through. */
  hook: (call: ReceivedCall) => Misbehaviour | undefined
  /** Tokens it refuses, and why. */
  reject: (grant: TokenGrant) => TokenRejection['code'] | undefined
  /** Sends an event to every open stream that asked for its kind; what is not a kind of its own goes to all. */
  readonly emit: (event: RpcEvent) => void
  /** Sends raw text to every open stream. */
  readonly emitRaw: (text: string) => void
  readonly openStreams: () => number
  /** What each open stream asked for, in the order in which they were opened. */
  readonly kindsRead: () => string[]
  /** Ends the event streams and nothing else: all, or those whose kinds (with commas between them) are the ones meant. */
  readonly cutStreams: (of?: (kinds: string) => boolean) => void
  /** Waits until a condition holds; looks again after every call and every stream that opens or closes. */
  readonly until: (condition: () => boolean) => Promise<void>
  /** Stops answering; the socket is gone. */
  readonly stop: () => Promise<void>
  /** Starts again on the same socket, as a new instance without memory. */
  readonly restart: () => Promise<void>
  /** `stop`, and removes the directory. */
  readonly close: () => Promise<void>
}

interface Matched { readonly name: RpcName, readonly id: string, readonly search: URLSearchParams }

/** Starts a fake proxy on a socket in a temporary directory of its own. */
export async function startFakeProxy (): Promise<FakeProxy> {
  const folder = openFolder()
  const socketPath = join(folder.path, 'proxy.sock')
  const streams = new Map<ServerResponse, readonly EventKind[]>()
  const watchers = new Set<() => void>()
  let server: Server | undefined
  const changed = (): void => { for (const watcher of [...watchers]) watcher() }

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://proxy')
    if (url.pathname === EVENTS_PATH) { openStream(response, url.searchParams); return }
    const lined = (Object.keys(rpcCalls) as RpcName[]).find(name => (rpcCalls[name] as RpcCall).lines === url.pathname)
    if (lined !== undefined) { serveLines(lined, request, response); return }
    const matched = match(request.method ?? '', url)
    const given = await answerTo(request, matched, await bodyOf(request))
    if (given !== undefined) response.writeHead(given.status, { 'content-type': 'application/json' }).end(given.text)
    changed()
  }

  const serveLines = (name: RpcName, request: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': LINES_CONTENT_TYPE }).flushHeaders()
    let answered = Promise.resolve()
    const splitter = new LineSplitter(MAX_RPC_BODY_BYTES, line => {
      answered = answered.then(async () => {
        const given = await answerTo(request, { name, id: '', search: new URLSearchParams() }, JSON.parse(line))
        if (given !== undefined) response.write(`{"status":${given.status},"body":${given.text}}\n`)
        changed()
      })
    })
    request.on('data', (chunk: Uint8Array) => { splitter.push(chunk) })
    // The caller is gone, or the test has hung up.
    request.on('error', () => undefined)
  }

  // Undefined: there is no answer.
  const answerTo = async (request: IncomingMessage, matched: Matched, body: unknown): Promise<{ readonly status: number, readonly text: string } | undefined> => {
    const call: ReceivedCall = { name: matched.name, body }
    fake.calls.push(call)
    const wish = fake.hook(call)
    if (wish?.kind === 'hang-up') {
      request.socket.destroy()
      return undefined
    }
    if (wish?.kind === 'error') return { status: rpcErrors[wish.code].status, text: JSON.stringify({ code: wish.code, message: 'As the test wished.', epoch: wish.epoch }) }
    if (wish?.kind === 'reply') return wish
    const [status, answer] = perform(fake, matched, body)
    changed()
    if (wish?.kind === 'delay') await wish.until
    return wish?.kind === 'silence' ? undefined : { status, text: JSON.stringify(answer) }
  }

  const openStream = (response: ServerResponse, search: URLSearchParams): void => {
    const kinds = search.get('kinds')
    streams.set(response, eventKindsFrom(kinds === null ? {} : { kinds }) ?? [])
    response.once('close', () => { streams.delete(response); changed() })
    response.writeHead(200, { 'content-type': LINES_CONTENT_TYPE })
    response.write(`${JSON.stringify({ type: 'hello', instanceId: fake.instanceId })}\n`)
    changed()
  }

  const listen = async (): Promise<void> => {
    server = createServer((request, response) => { void serve(request, response) })
    await new Promise<void>(resolve => { server?.listen(socketPath, resolve) })
  }

  const fake: FakeProxy = {
    socketPath,
    calls: [],
    tokens: new Map(),
    sessions: new Map(),
    voidTokens: new Map(),
    defaultTargets: [],
    candidatesSoFar: [],
    gone: [],
    drainRemainingMs: undefined,
    left: { sessions: 0, unredeemedTokens: 0, stopping: false },
    sessionsLeft: () => 0,
    tokenKeys: undefined,
    answers: [],
    elsewhere: [],
    bindings: [],
    can: [...abilities],
    samples: [],
    instanceId: randomUUID(),
    epoch: 0,
    controlled: undefined,
    dataPorts: [{ name: 'default', address: '127.0.0.1', port: 7777 }],
    hook: () => undefined,
    reject: () => undefined,
    emit: event => {
      const kind = eventKinds.find(kind => kind === (event.type === 'skipped' ? event.kind : event.type))
      for (const [stream, kinds] of streams) if (kind === undefined || kinds.includes(kind)) stream.write(`${JSON.stringify(event)}\n`)
    },
    emitRaw: text => { for (const stream of streams.keys()) stream.write(text) },
    openStreams: () => streams.size,
    kindsRead: () => [...streams.values()].map(kinds => kinds.join()),
    cutStreams: (of = () => true) => { for (const [stream, kinds] of streams) if (of(kinds.join())) stream.destroy() },
    until: async condition => {
      if (condition()) return
      await patiently(new Promise<void>(resolve => {
        const look = (): void => {
          if (!condition()) return
          watchers.delete(look)
          resolve()
        }
        watchers.add(look)
      }), condition.toString())
    },
    stop: async () => {
      const stopping = server
      server = undefined
      if (stopping === undefined) return
      stopping.closeAllConnections()
      await new Promise<void>(resolve => { stopping.close(() => { resolve() }) })
    },
    restart: async () => {
      await fake.stop()
      fake.instanceId = randomUUID()
      fake.epoch = 0
      fake.tokens.clear()
      fake.voidTokens.clear()
      fake.sessions.clear()
      fake.defaultTargets = []
      fake.drainRemainingMs = undefined
      fake.tokenKeys = undefined
      await listen()
    },
    close: async () => {
      await fake.stop()
      folder.close()
    }
  }
  await listen()
  return fake
}

function match (method: string, url: URL): Matched {
  for (const name of Object.keys(rpcCalls) as RpcName[]) {
    const row = rpcCalls[name]
    const found = new RegExp(`^${row.path.replace(':id', '([^/]+)')}$`).exec(url.pathname)
    if (row.method === method && found !== null) return { name, id: decodeURIComponent(found[1] ?? ''), search: url.searchParams }
  }
  throw new Error(`${method} ${url.pathname} is not in the contract.`)
}

async function bodyOf (request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8') as AsyncIterable<string>) text += chunk
  return text === '' ? undefined : JSON.parse(text)
}

interface Told { readonly epoch: number, readonly remainingMs?: number, readonly drainRemainingMs?: number, readonly tokens?: TokenGrant[], readonly revoked?: string[], readonly withdrawn?: string[], readonly gone?: GoneTarget[], readonly defaultTargets?: Target[], readonly after?: number, readonly more?: boolean, readonly target?: Target, readonly tokenKeys?: string[], readonly keys?: string[], readonly answers?: AskAnswer[], readonly clients?: Elsewhere[] }
type Answer = readonly [status: number, body: unknown]

function perform (fake: FakeProxy, { name, id, search }: Matched, body: unknown): Answer {
  const told = body as Told
  if (name === 'hello') return [200, { instanceId: fake.instanceId, epoch: fake.epoch, controlled: fake.controlled ?? fake.openStreams() > 0, engine: 'dgram', draining: fake.drainRemainingMs !== undefined, dataPorts: fake.dataPorts, ...fake.can === undefined ? {} : { can: fake.can } }]
  if (name === 'stats') return [200, { instanceId: fake.instanceId, samples: fake.samples }]
  if (name === 'listSessions') return listSessions(fake, search)
  if (name === 'listBindings') return listBindings(fake, search)
  if (name === 'getSession' || name === 'endSession' || name === 'moveSession') return oneSession(fake, name, id, told)
  if (told.epoch < fake.epoch) return [409, { code: 'EPOCH_STALE', message: 'A newer control process has taken over.', epoch: fake.epoch }]
  if (name !== 'putSnapshot' && told.epoch > fake.epoch) return [409, { code: 'NOT_READY', message: 'No snapshot of this epoch yet.' }]
  fake.epoch = told.epoch
  if (told.tokenKeys !== undefined || told.keys !== undefined) fake.tokenKeys = told.tokenKeys ?? told.keys
  fake.answers.push(...told.answers ?? [])
  fake.elsewhere.push(...told.clients ?? [])
  if (name === 'putTokenKeys' || name === 'answerAsks' || name === 'tellElsewhere') return [200, {}]
  if (name === 'drain') {
    fake.drainRemainingMs = told.remainingMs
    return [200, { instanceId: fake.instanceId, ...fake.left }]
  }
  if (name === 'putSnapshot') fake.drainRemainingMs = told.drainRemainingMs
  if (told.gone !== undefined) {
    fake.gone.push(...told.gone)
    return [200, { instanceId: fake.instanceId, sessions: Object.fromEntries(told.gone.map(({ key }) => [key, fake.sessionsLeft(key)])) }]
  }
  if (told.defaultTargets !== undefined) takeCandidates(fake, told.defaultTargets, told)
  return [200, name === 'putDefaultTargets' ? {} : { instanceId: fake.instanceId, rejected: takeTokens(fake, told) }]
}

function takeCandidates (fake: FakeProxy, part: readonly Target[], { after = 0, more = false }: Told): void {
  fake.candidatesSoFar = [...fake.candidatesSoFar.slice(0, after), ...part]
  if (!more) fake.defaultTargets = fake.candidatesSoFar
}

function takeTokens (fake: FakeProxy, told: Told): TokenRejection[] {
  for (const reason of ['revoked', 'withdrawn'] as const) {
    for (const token of told[reason] ?? []) {
      fake.tokens.delete(token)
      fake.voidTokens.set(token, reason)
    }
  }
  const rejected: TokenRejection[] = []
  for (const grant of told.tokens ?? []) {
    const code = fake.reject(grant)
    if (code !== undefined) rejected.push({ token: grant.token, code })
    else if (!fake.voidTokens.has(grant.token)) fake.tokens.set(grant.token, grant)
  }
  return rejected
}

function listSessions (fake: FakeProxy, search: URLSearchParams): Answer {
  const cursor = Number(search.get('cursor') ?? 0)
  const limit = Number(search.get('limit') ?? 100)
  const fits = [...fake.sessions.values()].filter(({ client, target }) =>
    client.startsWith(search.get('client') ?? '') && target.key.startsWith(search.get('target') ?? ''))
  const more = cursor + limit < fits.length ? { nextCursor: cursor + limit } : {}
  return [200, { sessions: fits.slice(cursor, cursor + limit), ...more, total: fake.sessions.size }]
}

function listBindings (fake: FakeProxy, search: URLSearchParams): Answer {
  const cursor = Number(search.get('cursor') ?? 0)
  const limit = Number(search.get('limit') ?? MAX_REPLICA_ITEMS)
  const mostIdleMs = Number(search.get('activeWithinMs') ?? Infinity)
  const active = fake.bindings.filter(({ idleMs }) => idleMs <= mostIdleMs)
  return [200, { bindings: active.slice(cursor, cursor + limit), ...cursor + limit < active.length ? { nextCursor: cursor + limit } : {} }]
}

function oneSession (fake: FakeProxy, name: 'getSession' | 'endSession' | 'moveSession', id: string, told: Told): Answer {
  const session = fake.sessions.get(id)
  if (session === undefined) return [404, { code: 'NOT_FOUND', message: 'No such session.' }]
  if (name === 'endSession') {
    fake.sessions.delete(id)
    return [200, {}]
  }
  if (name === 'moveSession' && told.target !== undefined) fake.sessions.set(id, { ...session, target: told.target, origin: 'operator' })
  return [200, fake.sessions.get(id)]
}
