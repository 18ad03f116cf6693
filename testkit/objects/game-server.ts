// GameServers as Agones writes them, as far as the director looks. Whole ones, as a cluster has them, are in testkit/fixtures.

export interface GameServerFields {
  /** Default: `games`. */
  readonly namespace?: string
  readonly labels?: Readonly<Record<string, string>>
  /** Default: `Allocated`, in which a player may be sent there. */
  readonly state?: string
  /** Default: 127.0.0.1. */
  readonly address?: string
  /** By name; default: none. */
  readonly ports?: Readonly<Record<string, number>>
}

// A type and no interface: it fits where any object of a cluster does.
export type GameServer = {
  readonly apiVersion: 'agones.dev/v1'
  readonly kind: 'GameServer'
  readonly metadata: { readonly name: string, readonly namespace: string, readonly labels: Readonly<Record<string, string>> }
  readonly status: { readonly state: string, readonly address: string, readonly ports: ReadonlyArray<{ readonly name: string, readonly port: number }> }
}

export function gameServer (name: string, { namespace = 'games', labels = {}, state = 'Allocated', address = '127.0.0.1', ports = {} }: GameServerFields = {}): GameServer {
  return {
    apiVersion: 'agones.dev/v1',
    kind: 'GameServer',
    metadata: { name, namespace, labels },
    status: { state, address, ports: Object.entries(ports).map(([name, port]) => ({ name, port })) }
  }
}

/** The same as a document of an inventory file. */
export function gameServerYaml (name: string, ports: Readonly<Record<string, number>>, fields: Omit<GameServerFields, 'ports'> = {}): string {
  // JSON is YAML.
  return `${JSON.stringify(gameServer(name, { ...fields, ports }))}\n---\n`
}
