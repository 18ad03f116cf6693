// The demo's little world as text: its game servers as Kubernetes objects, and the director's configuration.

export interface GameServer {
  readonly name: string
  readonly fleet: string
  /** Of Agones: only an Allocated one is given to players. */
  readonly state: 'Allocated' | 'Ready'
  readonly map?: string
}

/** The servers of the demo; the lobby is where clients without a token go. */
export const gameServers = [
  { name: 'arena-1', fleet: 'arena', state: 'Allocated', map: 'de_dust2' },
  { name: 'arena-2', fleet: 'arena', state: 'Allocated', map: 'cs_office' },
  { name: 'lobby', fleet: 'lobby', state: 'Ready' }
] as const satisfies readonly GameServer[]

export type GameServerName = typeof gameServers[number]['name']

export const NAMESPACE = 'games'
export const RESOURCE_TYPE = 'gameserver'

/** Everything of the demo is on this address, out of reach of other machines. */
export const HOST = '127.0.0.1'

/** The ports of a director; 0 is a free one. */
export interface Ports {
  readonly query: number
  readonly admin: number
  readonly data: number
}

export const anyPorts: Ports = { query: 0, admin: 0, data: 0 }

/** The documented ports, all shifted by `offset`. */
export function portsFrom (offset: number): Ports {
  return { query: 9000 + offset, admin: 9090 + offset, data: 7777 + offset }
}

/** A server as Agones would show it; `port` is where it listens. */
export function gameServerYaml ({ name, fleet, state, map }: GameServer, port: number): string {
  return `apiVersion: agones.dev/v1
kind: GameServer
metadata:
  name: ${name}
  namespace: ${NAMESPACE}
  labels:
    agones.dev/fleet: ${fleet}
${map === undefined ? '' : `    map: ${map}\n`}status:
  state: ${state}
  address: ${HOST}
  ports:
    - name: default
      port: ${port}
`
}

/** The director's configuration; the inventory is in the directory `inventory` beside it. */
export function configYaml ({ query, admin, data }: Ports): string {
  return `bindAddress: ${HOST}
queryPort: ${query}
adminPort: ${admin}
dataPorts:
  - name: default
    port: ${data}

inventory:
  provider: file
  path: inventory

# The game servers of this demo are on this machine; by default a director refuses loopback addresses.
allowedTargets: ["127.0.0.0/8"]

resourceQueryMapping:
  gameserver:
    group: agones.dev
    version: v1
    resource: gameservers
    addressPath: status.address
    portName: default

defaultEndpoint:
  resourceType: gameserver
  namespace: ${NAMESPACE}
  labelSelector:
    agones.dev/fleet: lobby

# Longer than the default of 30: time enough to read what you paste.
tokenTtlSeconds: 300
sessionTimeoutSeconds: 600

# Ctrl-C is to end the demo at once, whoever plays.
drainTimeoutSeconds: 0
`
}
