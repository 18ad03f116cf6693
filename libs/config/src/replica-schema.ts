// Several replicas: the address that clients of this one send to, and the store that replicas behind one address share.
import { Type } from '@sinclair/typebox'
import { closed, OneOf } from './schema-kinds.js'

export const AdvertiseSchema = Type.Object({
  address: Type.Optional(Type.String({ minLength: 1, maxLength: 253, description: 'An IP address or a host name. `$POD_NAME` in it stands for the pod\'s name.' })),
  service: Type.Optional(Type.String({ minLength: 1, maxLength: 253, description: 'The name of a Service in the director\'s own namespace: its load balancer\'s address, or else its first external IP. `$POD_NAME` in it stands for the pod\'s name.' })),
  node: Type.Optional(OneOf(['ExternalIP', 'InternalIP', 'Hostname', 'ExternalDNS', 'InternalDNS'], 'The address of this type of the Node that the director runs on, whose name is in `NODE_NAME`.')),
  ports: Type.Optional(Type.Record(Type.String({ pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' }), Type.Integer({ minimum: 1, maximum: 65535 }), { ...closed, description: 'The port that clients send to, by data port name, where it is not the one that is bound (a NodePort, a hostPort).' })),
  queryUrl: Type.Optional(Type.String({ minLength: 1, maxLength: 2048, description: 'The URL of this very replica\'s public API, told in answers: a client that wants its next token at the same address asks there. `$ADDRESS` in it stands for the address that is told, `$POD_NAME` for the pod\'s name.' }))
}, { ...closed, description: 'Where clients send their datagrams, told in every answer as `dataPorts[].address`: exactly one of `address`, `service` and `node`, unless `UDP_DIRECTOR_ADVERTISE` gives the address. Queries are answered once it is known. Default: nothing is told, and clients send to the host that they asked.' })

export const SharedStateSchema = Type.Object({
  provider: OneOf(['valkey'], 'What the store speaks: `valkey` is Valkey 7.2 or newer, and Redis 7.0 or newer.', 'valkey'),
  urls: Type.Array(Type.String({ minLength: 1, maxLength: 2048 }), { minItems: 1, maxItems: 64, description: '`valkey://host:port`, or `valkeys://…` for TLS; `redis://` and `rediss://` are the same. One, or several nodes of a cluster, or the sentinels.' }),
  mode: OneOf(['single', 'sentinel', 'cluster'], 'What is at `urls`: one server (or an address that always leads to the primary), Sentinels, or nodes of a cluster.', 'single'),
  sentinelName: Type.Optional(Type.String({ minLength: 1, maxLength: 253, description: '`sentinel`: the name of the group of servers.' })),
  username: Type.Optional(Type.String({ minLength: 1, maxLength: 253, description: 'The ACL user. Default: the default user.' })),
  passwordFile: Type.Optional(Type.String({ minLength: 1, description: 'A file with the password, relative to the configuration file. It is read again when it changes.' })),
  sentinelUsername: Type.Optional(Type.String({ minLength: 1, maxLength: 253, description: '`sentinel`: the ACL user of the sentinels themselves.' })),
  sentinelPasswordFile: Type.Optional(Type.String({ minLength: 1, description: '`sentinel`: a file with the password of the sentinels themselves.' })),
  caFile: Type.Optional(Type.String({ minLength: 1, description: 'TLS: a file with the certificates of authorities to believe, PEM. Default: those of Node.' })),
  certFile: Type.Optional(Type.String({ minLength: 1, description: 'TLS: a file with this director\'s certificate, PEM, if the store asks for one.' })),
  keyFile: Type.Optional(Type.String({ minLength: 1, description: 'TLS: a file with the key of that certificate, PEM.' })),
  serverName: Type.Optional(Type.String({ minLength: 1, maxLength: 253, description: 'TLS: the name that the store\'s certificate must have. Default: the host of the URL.' })),
  prefix: Type.String({ minLength: 1, maxLength: 32, pattern: '^[A-Za-z0-9_-]+$', default: 'ud', description: 'What every key and channel begins with. Directors with the same prefix in one store are replicas of each other.' }),
  follow: Type.Boolean({ default: true, description: 'Whether a client whose datagrams come to another replica than before goes on there with its session. Each first datagram without a token is looked up then.' }),
  onUnavailable: OneOf(['local', 'refuse'], 'Queries while the store cannot be reached: `local` answers them with tokens that work at this replica at once, and at the others once the store is back; `refuse` answers 503.', 'local')
}, { ...closed, description: 'The store that directors behind one shared address have in common. Default: none, this director is alone.' })
