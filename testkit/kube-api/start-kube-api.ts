// A Kubernetes API for tests: a real HTTP(S) server with lists, watches, discovery and errors as the real one has them,
// and with every fault a client must survive. State is in memory; time comes from a Clock; nothing but the keys of TLS is
// random.
import type { Clock } from '#core/clock.js'
import { systemClock } from '#core/system-clock.js'
import { patiently } from '../patience.js'
import { FaultBook, type Fault, type FaultMatch, type FaultRule } from './faults/fault.js'
import type { Cut } from './faults/frame.js'
import { HttpServer } from './listener/http-server.js'
import { kubeconfigText } from './listener/kubeconfig.js'
import { ObjectStore, type Backup, type ObjectKey, type TypeName } from './objects/object-store.js'
import { handleRequest, type Cluster, type OpenWatch } from './request-handler.js'
import { matches, Waiting, type RequestMatch, type RequestRecord } from './requests/request-log.js'
import { StartingServer, startingPhases, type Restart } from './faults/starting-server.js'
import { TlsIdentity, type NewCertificate } from './listener/tls-identity.js'
import { apiVersionOf, defaultResourceTypes, qualifiedName, type KubeObject, type NewObject, type ResourceType } from './objects/resource-type.js'

export interface KubeApiOptions {
  /** The system's clock if unset. */
  readonly clock?: Clock
  /** What is served; `defaultResourceTypes` if unset. */
  readonly types?: readonly ResourceType[]
  /** Bearer tokens that are let in; without any everybody is. */
  readonly tokens?: readonly string[]
  /** HTTPS, with an authority of its own; client certificates of that authority are let in without a token. */
  readonly tls?: boolean
  /** 60 s if unset, as the real server's. */
  readonly bookmarkPeriodMs?: number
  /** Deadline of a watch that names none; 1,800 s if unset (the real one: random from there to twice that). */
  readonly watchTimeoutSeconds?: number
  /** How long a list waits for a version that is not there yet; 3 s if unset. */
  readonly freshnessWaitMs?: number
  /** Events kept per type for watches and pages; 10,000 if unset. */
  readonly ringCapacity?: number
  /** The version before the first change; 97 if unset, so that soon one has a digit more than the last. */
  readonly firstVersion?: number
  /** Whether watches may ask for `sendInitialEvents`; refused with 422 if unset. */
  readonly watchList?: boolean
}

export interface KubeconfigOptions {
  readonly token?: string
  readonly namespace?: string
  /** A client certificate instead of a token. */
  readonly clientCertificate?: boolean
}

/** One open watch, in the hands of a test. */
export interface WatchHandle {
  readonly request: RequestRecord
  /** False once it was cut or the client left. */
  readonly isOpen: () => boolean
  readonly cut: (how: Cut) => void
  /** Writes text as it is; a line needs its line end. */
  readonly raw: (text: string) => void
  /** Sends an ERROR frame with this Status, and leaves the stream open. */
  readonly error: (status: object) => void
  readonly bookmark: () => void
}

export interface KubeApi {
  readonly url: string
  /** Objects and events; each change is sent to the watches before the call returns. */
  readonly store: Omit<ObjectStore, 'removeType' | 'restore' | 'onEvent'>
  /** Creates objects of any served kinds by their apiVersion and kind. */
  readonly load: (objects: Iterable<NewObject>) => void
  /** A kubeconfig file's text for this server, with the first of the tokens if `token` and `clientCertificate` are unset. */
  readonly kubeconfig: (options?: KubeconfigOptions) => string
  /** PEM of the authority that signed the server's certificate; undefined without TLS. */
  readonly authority: () => string | undefined
  /** New connections see a new certificate of the server: a rotated authority, a wrong name, an expired one. */
  readonly renewCertificate: (wish?: NewCertificate) => void
  /** Lets in these bearer tokens and no others from now on; watches that are open stay. */
  readonly setTokens: (...tokens: string[]) => void
  /** Answers such requests with 403 until the returned function is called. */
  readonly forbid: (match: RequestMatch) => () => void
  /** Makes `faults` happen to requests that match: the first one, if `nth` and `times` say nothing else. */
  readonly fault: (match: FaultMatch, ...faults: Fault[]) => FaultRule
  /** Forgets all rules of `fault`. */
  readonly clearFaults: () => void
  /** All requests so far, oldest first. */
  readonly requests: readonly RequestRecord[]
  readonly requestsOf: (match: RequestMatch) => readonly RequestRecord[]
  /** The watches that are open, oldest first. */
  readonly watches: (match?: RequestMatch) => readonly WatchHandle[]
  /** Open TCP connections. */
  readonly connections: () => number
  /** Resolves once `count` requests matched, those of the past included. */
  readonly requested: (match: RequestMatch, count?: number) => Promise<void>
  /** Resolves once `count` watches that match are open at the same time. */
  readonly watching: (match?: RequestMatch, count?: number) => Promise<void>
  /** Resolves once a condition over all this holds: looked at after every request, answer and closed connection. */
  readonly until: (condition: () => boolean) => Promise<void>
  /** Stops serving a type as if its CRD was removed: watches end, then 404. Returns it for `store.addType`. */
  readonly removeType: (name: TypeName) => ResourceType
  /** The cluster goes back to a backup of `store.backup()`: versions go back too, all watches end. */
  readonly restore: (backup: Backup) => void
  /** New connections are refused. */
  readonly refuse: () => void
  /** Connections are accepted again, on the same port. */
  readonly accept: () => Promise<void>
  /** Ends every connection, whatever goes on on it. */
  readonly drop: (how: 'fin' | 'reset') => void
  /** The server ends and comes back after a while, answering as one that starts. Resolves when it accepts connections. */
  readonly restart: (how: Restart) => Promise<void>
  /** Ends all connections and the server. */
  readonly close: () => Promise<void>
}

/** Starts a cluster without objects on a free port of 127.0.0.1. */
export async function startKubeApi (options: KubeApiOptions = {}): Promise<KubeApi> {
  const { clock = systemClock, types = defaultResourceTypes, tokens = [], firstVersion = 97, ringCapacity = 10_000 } = options
  const waiting = new Waiting()
  const store = new ObjectStore({ clock, firstVersion, ringCapacity, onVersion: waiting.changed })
  for (const type of types) store.addType(type)
  const identity = options.tls === true ? new TlsIdentity() : undefined
  const cluster: Cluster = {
    clock,
    store,
    server: new HttpServer((request, response) => { void handleRequest(cluster, request, response) }, identity?.renew(), waiting.changed),
    faults: new FaultBook(),
    starting: new StartingServer(clock),
    requests: [],
    watches: new Set(),
    waiting,
    denied: new Set(),
    tokens: new Set(tokens),
    user: 'system:serviceaccount:udp-director:udp-director',
    freshnessWaitMs: options.freshnessWaitMs ?? 3_000,
    watchSettings: {
      clock,
      bookmarkPeriodMs: options.bookmarkPeriodMs ?? 60_000,
      watchTimeoutSeconds: options.watchTimeoutSeconds ?? 1_800,
      watchList: options.watchList ?? false
    }
  }
  await cluster.server.listen()
  return apiOf(cluster, identity)
}

function apiOf (cluster: Cluster, identity: TlsIdentity | undefined): KubeApi {
  const { store, server, faults, requests, waiting, denied, tokens } = cluster
  const requestsOf = (match: RequestMatch): readonly RequestRecord[] => requests.filter(request => matches(match, request))
  const watches = (match: RequestMatch = {}): readonly WatchHandle[] => [...cluster.watches].filter(({ request }) => matches(match, request)).map(handleOf)
  const endWatches = (type?: ResourceType): void => {
    for (const { collection, stream } of cluster.watches) if (type === undefined || collection.type === type) stream.cut('end')
  }
  return {
    url: server.url,
    store,
    load: objects => { for (const object of objects) store.create(typeNameOf(store, object), object) },
    kubeconfig: ({ clientCertificate = false, token = clientCertificate ? undefined : [...tokens][0], namespace = 'default' } = {}) => {
      const clientPair = clientCertificate ? identity?.clientCertificate(cluster.user) : undefined
      return kubeconfigText({ server: server.url, token, namespace, ca: identity?.authority, clientPair })
    },
    authority: () => identity?.authority,
    renewCertificate: wish => {
      if (identity === undefined) throw new Error('renewCertificate: the server was started without TLS')
      server.setTls(identity.renew(wish))
    },
    setTokens: (...next) => {
      tokens.clear()
      for (const token of next) tokens.add(token)
    },
    forbid: match => {
      denied.add(match)
      return () => { denied.delete(match) }
    },
    fault: (match, ...added) => faults.add(match, added),
    clearFaults: () => { faults.clear() },
    requests,
    requestsOf,
    watches,
    connections: () => server.connections,
    requested: async (match, count = 1) => { await patiently(waiting.until(() => requestsOf(match).length >= count), `${count} requests ${JSON.stringify(match)}`) },
    watching: async (match, count = 1) => { await patiently(waiting.until(() => watches(match).length >= count), `${count} watches ${JSON.stringify(match)}`) },
    until: async condition => { await patiently(waiting.until(condition), condition.toString()) },
    removeType: name => {
      const type = store.removeType(name)
      endWatches(type)
      return type
    },
    restore: backup => {
      store.restore(backup)
      endWatches()
    },
    refuse: () => { server.refuse() },
    accept: async () => { await server.listen() },
    drop: how => { server.drop(how) },
    restart: async ({ downMs, phases = startingPhases, forgets = true }) => {
      server.refuse()
      server.drop('reset')
      await new Promise<void>(resolve => { cluster.clock.after(downMs, resolve) })
      if (forgets) store.compact()
      cluster.starting.begin(phases)
      await server.listen()
    },
    close: async () => { await server.close() }
  }
}

function handleOf ({ request, stream, bookmark }: OpenWatch): WatchHandle {
  return {
    request,
    isOpen: () => stream.isOpen,
    cut: how => { stream.cut(how) },
    raw: text => { stream.raw(text) },
    error: status => { stream.error(status) },
    bookmark
  }
}

function typeNameOf (store: ObjectStore, { apiVersion, kind }: Partial<KubeObject>): TypeName {
  for (const { type } of store.collections()) {
    if (apiVersionOf(type) === apiVersion && type.kind === kind) return qualifiedName(type)
  }
  throw new Error(`load: no type for ${String(apiVersion)} ${String(kind)}`)
}

export type { Backup, Cut, Fault, FaultMatch, FaultRule, KubeObject, NewObject, ObjectKey, RequestMatch, RequestRecord, ResourceType }
