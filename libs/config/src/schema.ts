// The configuration, once: types, defaults, docs/config.md and the editor's JSON Schema all derive from this table.
// Descriptions are what an operator reads; they carry units and say what happens at the edge.
import { Type, type Static } from '@sinclair/typebox'
import { DEFAULT_MAGIC_HEX } from '#wire/control-packet.js'
import { AccessSchema, AuthSchema } from './guard-schema.js'
import { AdvertiseSchema, SharedStateSchema } from './replica-schema.js'
import { Addresses, closed, OneOf } from './schema-kinds.js'

const Port = (description: string, fallback: number) => Type.Integer({
  minimum: 0,
  maximum: 65535,
  default: fallback,
  description: `${description} 0 lets the system choose a free one.`
})

const Bound = (description: string, fallback: number, minimum = 1, maximum = 10_000_000) =>
  Type.Integer({ minimum, maximum, default: fallback, description })

/** A label or annotation key: Kubernetes allows a prefix of 253 characters, a slash and 63 more. */
const metadataKey = Type.String({ pattern: '^[A-Za-z0-9]\\S{0,316}$' })

/** A resource type is named in queries and is a label of metrics. */
const resourceTypeKey = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$' })

const StringMap = (description: string) => Type.Record(metadataKey, Type.String(), { ...closed, description })

export const StatusQuerySchema = Type.Object({
  jsonPath: Type.String({ minLength: 1, maxLength: 256, description: 'Path to the field, for example `status.state`.' }),
  expectedValues: Type.Array(Type.String(), {
    minItems: 1,
    maxItems: 64,
    description: 'The field matches if it equals any of these. A single `expectedValue` is read too.'
  })
}, { ...closed, description: 'A field of the object and the values it may have.' })

export const SelectionSchema = Type.Object({
  resourceType: Type.String({ minLength: 1, description: 'A key of `resourceQueryMapping`.' }),
  namespace: Type.String({ minLength: 1, description: 'The namespace to look in.' }),
  labelSelector: Type.Optional(StringMap('Labels that must all be present with exactly these values.')),
  annotationSelector: Type.Optional(StringMap('Annotations that must all be present with exactly these values.')),
  statusQuery: Type.Optional(StatusQuerySchema)
}, { ...closed, description: 'Which objects: the same words as the body of `POST /query`.' })

export const DataPortSchema = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 63, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$', description: 'The port\'s name, referred to by `ports` of a mapping.' }),
  port: Type.Integer({ minimum: 0, maximum: 65535, description: 'The UDP port clients send to. 0 lets the system choose a free one.' }),
  protocol: Type.Literal('udp', { default: 'udp', description: 'Only `udp`; TCP entries are refused.' })
}, closed)

export const PortMappingSchema = Type.Object({
  name: Type.String({ minLength: 1, description: 'The data port (by name) that this target port serves.' }),
  portName: Type.Optional(Type.String({ minLength: 1, description: 'The target port by its name in the object.' })),
  portPath: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: 'The target port by JSONPath, for example `status.ports[0].port`.' }))
}, { ...closed, description: 'Exactly one of `portName` and `portPath`.' })

export const ResourceMappingSchema = Type.Object({
  group: Type.String({ default: '', description: 'API group; empty for the core group.' }),
  version: Type.String({ minLength: 1, default: 'v1', description: 'API version.' }),
  resource: Type.String({ minLength: 1, description: 'Plural resource name, for example `gameservers`.' }),
  addressPath: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: 'JSONPath to the address, or to an array of `{type, address}` when `addressType` is set.' })),
  addressType: Type.Optional(Type.String({ minLength: 1, description: 'The `type` to take from that array, for example `PodIP`.' })),
  portName: Type.Optional(Type.String({ minLength: 1, description: 'The port by name, for all data ports.' })),
  portPath: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: 'The port by JSONPath, for all data ports.' })),
  ports: Type.Optional(Type.Array(PortMappingSchema, { minItems: 1, maxItems: 16, description: 'Several ports, matched to `dataPorts` by name.' })),
  serviceSelectorLabel: Type.Optional(Type.String({ minLength: 1, description: 'Label on a Service whose value is the object\'s name: route to that Service\'s clusterIP.' })),
  serviceTargetPortName: Type.Optional(Type.String({ minLength: 1, description: 'The Service\'s port by name.' })),
  indexPaths: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
    maxItems: 8,
    description: 'JSONPaths by whose values objects are indexed: a status query for one of them costs what it finds, for any other path what the labels leave. Default: the path of `defaultEndpoint`, if it is of this type.'
  }))
}, { ...closed, description: 'How a resource type is found and where its address and port are.' })

export const LoadBalancingSchema = Type.Object({
  type: OneOf(['first', 'leastSessions', 'labelArithmetic', 'roundRobin', 'random'], 'How one of several matching objects is chosen.', 'first'),
  currentLabel: Type.Optional(Type.String({ minLength: 1, description: '`labelArithmetic`: the label with the current number of players.' })),
  maxLabel: Type.Optional(Type.String({ minLength: 1, description: '`labelArithmetic`: the label with the largest number of players.' })),
  overlap: Type.Integer({ minimum: 0, maximum: 1_000_000, default: 0, description: '`labelArithmetic`: places kept free for other directors.' })
}, { ...closed, default: {}, description: 'Choice among the objects that match.' })

export const InventorySchema = Type.Object({
  provider: OneOf(['kubernetes', 'file'], 'Where objects come from.', 'kubernetes'),
  path: Type.Optional(Type.String({ minLength: 1, description: '`file`: a directory or a file of YAML (4 Mi characters at most) or JSON objects (16 MiB), relative to the configuration file.' })),
  kubeconfig: Type.Optional(Type.String({ minLength: 1, description: '`kubernetes`: a kubeconfig file, relative to the configuration file. Default: the pod\'s service account; outside of a cluster `KUBECONFIG` or `~/.kube/config`.' }))
}, { ...closed, default: {}, description: 'The source of Kubernetes objects.' })

export const LimitsSchema = Type.Object({
  maxSessions: Bound('Sessions at once. At the bound a client with a token takes the place of a default-endpoint session, the others are dropped; established sessions with a token go on.', 100_000),
  maxSessionsPerPrefix: Bound('Sessions at once of one client prefix, which is an IPv4 address or a /64 of IPv6; those that have redeemed a token and those that have not are counted apart. Players behind one NAT share a prefix.', 4096),
  newSessionsPerSecond: Bound('New default-endpoint sessions per second of one client prefix, and as many at once. Tokens are not limited by this. 0 means no limit.', 100, 0, 1_000_000),
  amplificationFactor: Type.Number({ minimum: 0, maximum: 1000, default: 3, description: 'How many times the bytes of a first datagram to the default endpoint may go back before its client has sent another (RFC 9000 §8.1). 0 means no limit: relays of protocols with one question and one long answer, as DNS, need that.' }),
  maxTokens: Bound('Tokens alive at once. At the bound a query is answered 503.', 100_000),
  maxTargets: Bound('Distinct targets known to the proxy at once.', 20_000),
  maxHostNames: Bound('Host names of targets kept resolved at once. Objects with others count as unusable until one is free.', 5000, 1, 100_000),
  maxUpstreamSockets: Bound('Sockets towards targets, which is the largest number of clients on one target.', 16_384, 1, 65_536),
  upstreamLingerSeconds: Bound('After a session left a target, how long the target must be silent on that socket before another session may use the pair.', 30, 0, 3600),
  maxDatagramBytes: Bound('Longest datagram that is forwarded, in bytes; longer ones are dropped and counted.', 65_507, 512, 65_507),
  sendQueueBytes: Bound('Bytes that may wait in one socket for the kernel before datagrams are dropped and counted.', 4_194_304, 65_536, 1_073_741_824),
  receiveBufferBytes: Bound('Kernel receive buffer asked for on every data port, in bytes; the system may grant less.', 4_194_304, 4096, 1_073_741_824),
  maxBodyBytes: Bound('Longest HTTP request body, in bytes.', 65_536, 1024, 16_777_216),
  maxTokensPerCaller: Bound('Tokens that one caller may hold that nobody has redeemed yet. At the bound its queries are answered 429.', 10_000),
  queriesPerSecond: Bound('Queries of one caller in a second; more are answered 429. A caller is the key or subject it authenticated with, or else its IPv4 address or IPv6 /64. 0 means no bound.', 200, 0, 1_000_000),
  adminRequestsPerSecond: Bound('As `queriesPerSecond`, for all requests to the admin API but those for health.', 1000, 0, 1_000_000),
  maxQueryWork: Bound('Work that one query may cost, in nodes of objects and objects that are looked at; a query that costs more is answered 400. A million take some 50 ms, in slices between which everybody else is served.', 2_000_000, 1000, 1_000_000_000),
  queryWorkPerSecond: Bound('As `maxQueryWork`, for all queries of one caller in a second; more are answered 429. 0 means no bound.', 5_000_000, 0, 1_000_000_000),
  maxCallers: Bound('Callers whose requests are counted at once, for each listener; beyond it the one that was quiet for longest is forgotten.', 50_000, 100, 1_000_000),
  maxRequests: Bound('HTTP requests under way at once, for each listener, of which one caller may have a quarter. At the bound the one whose body has been coming, or whose answer has been left untaken, for longest gives way; without such a one a new request is answered 503. Health always gets an answer.', 2000, 4, 100_000),
  maxConnections: Bound('HTTP connections at once, for each listener. At the bound the one without a request for longest is closed for a new one; if all have requests, the new one is.', 10_000, 10, 1_000_000),
  maxPushQueue: Bound('Token pushes that may wait for the proxy at once. At the bound a query is answered 503.', 10_000),
  pushDeadlineMs: Bound('How long a query waits for the proxy to acknowledge its token, in milliseconds.', 1000, 10, 60_000),
  storeDeadlineMs: Bound('How long the shared store may take to answer, in milliseconds. Datagrams that wait for it longer are dropped (`store_late`).', 250, 10, 10_000),
  asksPerSecond: Bound('Clients per second that the shared store is asked about, by each replica; half of it is for tokens alone. Datagrams of others are dropped (`ask_limit`).', 5000, 1, 1_000_000),
  asksPerPrefix: Bound('As `asksPerSecond`, of one client prefix, for each of the two.', 50, 1, 1_000_000),
  heldDatagrams: Bound('Datagrams that wait at once for an answer of the shared store, in each worker: 16 of one client, 8 MiB in all. More are dropped (`held_limit`).', 4096, 16, 1_000_000),
  warningsPerSecond: Bound('Log lines per second and cause of warnings and errors: tokens that are refused, faults of sockets, and everything else. Of a fault that is not a packet\'s, a hundred may come at once, and five a second are always told. How many were left out is told, too.', 5, 0, 1000),
  sessionLinesPerSecond: Bound('Log lines per second with one sentence that are not warnings: about sessions that come, change and go, about tokens, and everything else, but for a hundred at once and five a second. How many were left out is told, too.', 100, 0, 100_000)
}, { ...closed, default: {}, description: 'Every bound there is.' })

/**
 * Ports that forged first datagrams pretend to come from: what answers is a service, not a player. Those below 1024 are
 * the system's (RFC 6335 §6): echo, daytime, chargen, DNS, TFTP, portmap, NTP, NetBIOS, SNMP, LDAP. The others are reflectors
 * of CISA's alert TA14-017A and of Shadowserver's open-service reports: MS-SQL 1434, SSDP 1900, Apple Remote Management 3283,
 * WS-Discovery 3702, SPSS licence manager 5093, NAT-PMP 5351, mDNS 5353, CoAP 5683, Ubiquiti discovery 10001, memcached 11211.
 * Quake's and Steam's, in the alert too, are left out: games use these as source ports.
 */
export const DEFAULT_BLOCKED_SOURCE_PORTS = ['0-1023', '1434', '1900', '3283', '3702', '5093', '5351', '5353', '5683', '10001', '11211']

export const ClientsSchema = Type.Object({
  allow: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { maxItems: 1000, description: 'CIDR blocks of clients that are served. Default: everyone.' })),
  deny: Type.Array(Type.String({ minLength: 1 }), { maxItems: 1000, default: [], description: 'CIDR blocks of clients that are not served, even if `allow` has them.' })
}, { ...closed, default: {}, description: 'Whose datagrams the data ports take, with or without a token. Read at the start.' })

const HostNames = (description: string) => Type.Array(Type.String({ maxLength: 255, pattern: '^(\\*\\.)?[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*$' }), { maxItems: 64, description })

export const ConfigSchema = Type.Object({
  queryPort: Port('TCP port of the public API (`POST /query`).', 9000),
  adminPort: Port('TCP port of the admin API and `/metrics`. Not meant for the internet.', 9090),
  dataPorts: Type.Array(DataPortSchema, {
    minItems: 1,
    maxItems: 16,
    default: [{ name: 'default', port: 7777, protocol: 'udp' }],
    description: 'UDP ports that clients send to. A single `dataPort: 7777` is read as one port named `default`.'
  }),
  bindAddress: Addresses({ default: '::', description: 'Address of the HTTP listeners and, without `dataBindAddress`, of the data ports; or a list of addresses. `::` is every address of IPv6 and IPv4, and falls back to `0.0.0.0` where IPv6 is off.' }),
  dataBindAddress: Type.Optional(Addresses({ description: 'Address of the data ports alone, or a list; each gets a socket of its own on every data port. Replies leave from the address the client sent to; engine `dgram` can do that only with addresses that are named here or in `bindAddress`. Default: `bindAddress`.' })),
  defaultEndpoint: Type.Optional(SelectionSchema),
  tokenTtlSeconds: Type.Integer({ minimum: 1, maximum: 3600, default: 30, description: 'How long a token can be redeemed. `tokenTTLSeconds` is read too.' }),
  sessionTimeoutSeconds: Type.Integer({ minimum: 1, maximum: 86_400, default: 300, description: 'A session that is idle for longer is not used any more.' }),
  controlPacketMagicBytes: Type.String({ default: DEFAULT_MAGIC_HEX, description: 'What a control packet starts with: 1–32 bytes in hexadecimal.' }),
  resourceQueryMapping: Type.Record(resourceTypeKey, ResourceMappingSchema, { ...closed, default: {}, description: 'Resource types that queries may name.' }),
  namespaces: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { description: 'Namespaces that queries may name; `*` is all of them. Default: that of `defaultEndpoint`, and for the `file` provider those of its objects.' })),
  inventory: InventorySchema,
  allowedTargets: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { description: 'CIDR blocks that targets must lie in. Default: any unicast address that is not loopback, link-local or our own.' })),
  loadBalancing: LoadBalancingSchema,
  clients: ClientsSchema,
  blockedSourcePorts: Type.Array(Type.Union([Type.Integer({ minimum: 0, maximum: 65535 }), Type.String({ minLength: 1 })]), { maxItems: 1000, default: DEFAULT_BLOCKED_SOURCE_PORTS, description: 'Ports, and ranges of them as `0-1023`, from which a first datagram without a live token is dropped: whoever answers there is no player, and two services can be made to answer each other for ever (CVE-2024-2169). An empty list blocks none; relays of DNS and NTP need ports below 1024.' }),
  onInvalidToken: OneOf(['default', 'drop'], 'What becomes of a first datagram that looks like a token and is not a live one.', 'default'),
  onTargetGone: OneOf(['keep', 'close', 'default'], 'What becomes of sessions whose target disappears, or is at another address or port: they stay until they are idle, end, or move to the default endpoint (where there is one).', 'keep'),
  refreshOn: OneOf(['client', 'both'], 'Whose datagrams keep a session alive.', 'client'),
  drainTimeoutSeconds: Type.Integer({ minimum: 0, maximum: 86_400, default: 300, description: 'How long a process that was asked to stop waits for its sessions to end. It takes no new ones meanwhile; 0 ends at once. The pod\'s `terminationGracePeriodSeconds` has to cover it.' }),
  exposeTarget: Type.Boolean({ default: false, description: 'Whether the answer to a query names the target\'s address and ports.' }),
  bindClientIp: Type.Boolean({ default: false, description: 'Whether the token of a query can be redeemed only from the IPv4 address, or the IPv6 /64, that the query came from. For clients that ask themselves and reach both ports by the same address family and the same way; a matchmaker names the address with `clientIp` of `POST /tokens`.' }),
  queryAccess: { ...AccessSchema, description: 'Who may call the public API. Health and its document are open to all.' },
  adminAccess: { ...AccessSchema, description: 'Who may call the admin API. Health is open to all.' },
  queryAuth: { ...AuthSchema, description: 'What callers of the public API must bring. Health and its document are open to all.' },
  adminAuth: { ...AuthSchema, description: 'What callers of the admin API must bring, `/metrics` included. Health is open to all.' },
  trustedProxies: Type.Array(Type.String({ minLength: 1 }), { maxItems: 64, default: [], description: 'CIDR blocks of the HTTP proxies and load balancers whose word about the caller is believed, in the header that `forwardedHeader` names. Without them the caller is whoever opened the connection.' }),
  forwardedHeader: OneOf(['x-forwarded-for', 'forwarded'], 'The header in which `trustedProxies` name the caller: `X-Forwarded-For`, or `Forwarded` (RFC 7239). The other one is not believed. A trusted proxy that names no address is answered 400.', 'x-forwarded-for'),
  queryHosts: Type.Optional(HostNames('Names by which the public API may be called; if given, requests with another name in their Host header are answered 403, but for those by address, by a name without a dot, and by names ending in `.localhost`, `.svc`, `.cluster.local` or `.internal`. Pages of these names may call from a browser. Default: any name, and no page of another origin.')),
  adminHosts: { ...HostNames('As `queryHosts`, for the admin API, where it is always on. A name such as `director.example.com` or `*.example.com`: needed where operators, or a scraper, call by a full name.'), default: [] },
  engine: OneOf(['auto', 'batch', 'dgram'], 'How datagrams are received and sent: `batch` takes many with one system call and needs Linux on x64 or arm64, `dgram` is Node\'s own sockets; `auto` takes `batch` where it can.', 'auto'),
  workers: Type.Union([Type.Literal('auto'), Type.Integer({ minimum: 1, maximum: 64 })], { default: 'auto', description: 'Threads that forward, with engine `batch`: 1 to 64; `auto` is one less than there are processors, from 1 to 8.' }),
  dscp: Type.Union([Type.Literal('keep'), Type.Integer({ minimum: 0, maximum: 63 })], { default: 0, description: 'The DSCP (RFC 2474) of the datagrams that are sent, to clients and to targets, 0 to 63; or `keep`: each leaves with the one it came with, so that strangers choose a class of your network unless its edge resets it. Needs engine `batch`; `dgram` always sends 0. ECN is not part of it: `batch` carries it, `dgram` does not.' }),
  advertise: Type.Optional(AdvertiseSchema),
  sharedState: Type.Optional(SharedStateSchema),
  limits: LimitsSchema
}, { ...closed, $id: 'udp-director-config', title: 'UDP Director configuration' })

export type Config = Static<typeof ConfigSchema>
export type DataPort = Static<typeof DataPortSchema>
export type ResourceMapping = Static<typeof ResourceMappingSchema>
export type PortMapping = Static<typeof PortMappingSchema>
export type Selection = Static<typeof SelectionSchema>
export type StatusQuery = Static<typeof StatusQuerySchema>
export type LoadBalancing = Static<typeof LoadBalancingSchema>
export type Access = Static<typeof AccessSchema>
export type Auth = Static<typeof AuthSchema>
export type Advertise = NonNullable<Config['advertise']>
export type SharedState = NonNullable<Config['sharedState']>
export type Limits = Static<typeof LimitsSchema>
