// The way of one request: recorded, spoiled if a test wants that, then authenticated, authorised, routed and answered.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '#core/clock.js'
import { cutResponse, piecesOf } from './faults/body-bytes.js'
import { discover } from './reads/discovery.js'
import { Faults, type FaultBook, type KubeListLike } from './faults/fault.js'
import type { HttpServer } from './listener/http-server.js'
import { answerList } from './reads/list.js'
import { parseListOptions, type ListOptions } from './requests/list-options.js'
import type { Collection, ObjectStore } from './objects/object-store.js'
import { failure, forbidden, json, methodNotAllowed, objectNotFound, pageNotFound, tooLargeVersion, unauthorized, type Reply } from './requests/reply.js'
import { matches, type RequestMatch, type RequestRecord, type Waiting } from './requests/request-log.js'
import { textOf } from './objects/resource-type.js'
import { routeOf, type ResourceRoute } from './requests/route.js'
import type { StartingServer } from './faults/starting-server.js'
import { faultOfWatch, startWatch, type Watch, type WatchSettings } from './reads/watch.js'
import { WatchStream } from './reads/watch-stream.js'

export interface OpenWatch extends Watch {
  readonly request: RequestRecord
  readonly collection: Collection
}

/** What a request can look into and change. */
export interface Cluster {
  readonly clock: Clock
  readonly store: ObjectStore
  readonly server: HttpServer
  readonly faults: FaultBook
  readonly starting: StartingServer
  readonly requests: RequestRecord[]
  readonly watches: Set<OpenWatch>
  readonly waiting: Waiting
  readonly denied: Set<RequestMatch>
  /** None: everybody is let in. */
  readonly tokens: Set<string>
  readonly user: string
  readonly freshnessWaitMs: number
  readonly watchSettings: WatchSettings
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** The TCP connection below. */
  readonly raw: Socket
  readonly url: URL
  readonly route: ResourceRoute | undefined
  readonly record: RequestRecord
  readonly faults: Faults
}

export async function handleRequest (cluster: Cluster, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const connection = cluster.server.connectionOf(request)
  if (connection === undefined) return // The client has left.
  const url = new URL(request.url ?? '/', cluster.server.url)
  const route = routeOf(request.method ?? '', url.pathname, url.searchParams)
  const record = recordOf(cluster, request, url, route, connection.number)
  const starting = cluster.starting.fault
  const faults = starting === undefined ? cluster.faults.take(record) : new Faults([starting])
  const exchange: Exchange = { request, response, raw: connection.socket, url, route, record, faults }
  cluster.requests.push(record)
  response.once('close', cluster.waiting.changed)
  cluster.waiting.changed()

  if (faults.delayMs > 0) await elapse(cluster, response, faults.delayMs, () => false)
  if (response.destroyed || faults.first('hang') !== undefined) return
  if (faults.first('reset') !== undefined) {
    exchange.raw.resetAndDestroy()
    return
  }
  const reply = spoiledStatus(faults) ?? await answer(cluster, exchange)
  if (reply !== undefined) send(cluster, exchange, reply)
}

// undefined when the answer is a stream that has begun.
async function answer (cluster: Cluster, exchange: Exchange): Promise<Reply | undefined> {
  const { request, url, route, record } = exchange
  if (!isKnown(cluster, request)) return unauthorized
  const denial = deniedBy(cluster, record, route)
  if (denial !== undefined) return denial
  const found = discover(url.pathname, [...cluster.store.collections()].map(({ type }) => type), cluster.server.address)
  if (found !== undefined) return json(JSON.stringify(found))
  const collection = route === undefined ? undefined : cluster.store.find(route.group, route.version, route.plural)
  if (collection === undefined && route?.verb === 'get' && route.plural === 'namespaces') return namespace(route)
  if (route === undefined || collection === undefined || (route.namespace !== undefined && !collection.type.namespaced)) return pageNotFound
  if (route.verb === 'get') return getOne(collection, route)
  if (route.verb !== 'list' && route.verb !== 'watch') return methodNotAllowed
  const options = parseListOptions(collection.type, url.searchParams)
  if (!options.ok) return options.error
  return route.verb === 'list' ? await list(cluster, exchange, collection, options.value) : watch(cluster, exchange, collection, options.value)
}

// A namespace is there as soon as somebody names it: kubectl looks for it before it says that an object is missing.
function namespace ({ name }: ResourceRoute): Reply {
  return json(JSON.stringify({ kind: 'Namespace', apiVersion: 'v1', metadata: { name }, status: { phase: 'Active' } }))
}

function getOne (collection: Collection, { namespace, name = '' }: ResourceRoute): Reply {
  const object = collection.objects.get(namespace === undefined ? name : `${namespace}/${name}`)
  return object === undefined ? objectNotFound(collection.type, name) : json(textOf(object))
}

async function list (cluster: Cluster, { response, route }: Exchange, collection: Collection, options: ListOptions): Promise<Reply> {
  const { version = 0 } = options
  // The server waits a while for a version it has not seen yet, because its cache may lag behind another server's.
  if (version > cluster.store.version) await elapse(cluster, response, cluster.freshnessWaitMs, () => cluster.store.version >= version)
  if (version > cluster.store.version) return tooLargeVersion(version, cluster.store.version)
  return answerList(collection, route?.namespace, options, cluster.store.version)
}

function watch (cluster: Cluster, { response, raw, route, record, faults }: Exchange, collection: Collection, options: ListOptions): Reply | undefined {
  const fault = faultOfWatch(options, cluster.watchSettings)
  if (fault !== undefined) return fault
  const stream = new WatchStream(response, raw, faults)
  const open: OpenWatch = { ...startWatch(cluster.store, collection, route?.namespace, options, cluster.watchSettings, stream), request: record, collection }
  record.status = 200
  response.once('close', () => {
    open.stop()
    cluster.watches.delete(open)
    cluster.waiting.changed()
  })
  cluster.watches.add(open)
  cluster.waiting.changed()
  return undefined
}

function send (cluster: Cluster, { response, raw, record, faults }: Exchange, right: Reply): void {
  if (response.destroyed) return
  const reply = edited(faults, right)
  const bytes = Buffer.from(reply.body)
  const cut = faults.first('cut')
  const pieces = piecesOf(cut === undefined ? bytes : bytes.subarray(0, cut.bytes ?? bytes.length / 2), faults.first('pieces')?.bytes)
  const whole = pieces.length === 1 && cut?.how !== 'end'
  record.status = reply.code
  response.writeHead(reply.code, { 'content-type': reply.contentType, 'cache-control': 'no-cache, private', ...reply.headers, ...(whole ? { 'content-length': bytes.length } : {}) })
  for (const piece of pieces) response.write(piece)
  if (cut === undefined) response.end()
  else cutResponse(response, raw, cut.how)
  cluster.waiting.changed()
}

function spoiledStatus (faults: Faults): Reply | undefined {
  const fault = faults.first('status')
  if (fault === undefined) return undefined
  const { code, message = 'As the test wished.', retryAfterSeconds, body, headers } = fault
  const reply = failure(code, message, retryAfterSeconds === undefined ? undefined : { retryAfterSeconds })
  return { ...reply, ...(body === undefined ? {} : { body }), headers: { ...reply.headers, ...headers } }
}

function edited (faults: Faults, reply: Reply): Reply {
  const edits = faults.all('edit')
  if (edits.length === 0 || reply.code !== 200) return reply
  const body = edits.reduce<unknown>((text, { change }) => change(text as KubeListLike), JSON.parse(reply.body))
  return json(JSON.stringify(body))
}

function isKnown ({ tokens }: Cluster, { headers: { authorization = '' }, socket }: IncomingMessage): boolean {
  const certified = 'authorized' in socket && socket.authorized === true
  return tokens.size === 0 || certified || (authorization.startsWith('Bearer ') && tokens.has(authorization.slice('Bearer '.length)))
}

function deniedBy ({ denied, user }: Cluster, record: RequestRecord, route: ResourceRoute | undefined): Reply | undefined {
  if (route === undefined || ![...denied].some(match => matches(match, record))) return undefined
  return forbidden({ user, ...route })
}

// Until `ms` have passed or `done` holds; not longer than the client stays.
async function elapse ({ clock, waiting }: Cluster, response: ServerResponse, ms: number, done: () => boolean): Promise<void> {
  let late = false
  const cancel = clock.after(ms, () => {
    late = true
    waiting.changed()
  })
  await waiting.until(() => late || response.destroyed || done())
  cancel()
}

function recordOf (cluster: Cluster, request: IncomingMessage, url: URL, route: ResourceRoute | undefined, connection: number): RequestRecord {
  const isDiscovery = /^\/(?:version|api|apis)(?:\/[^/]+)?$|^\/apis\/[^/]+\/[^/]+$/.test(url.pathname)
  return {
    verb: isDiscovery ? 'discovery' : route?.verb ?? 'other',
    type: isDiscovery ? undefined : route?.plural,
    group: isDiscovery ? undefined : route?.group,
    namespace: isDiscovery ? undefined : route?.namespace,
    name: isDiscovery ? undefined : route?.name,
    method: request.method ?? '',
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: request.headers,
    atMs: cluster.clock.now(),
    connection,
    status: undefined
  }
}
