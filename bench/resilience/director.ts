// The director as `npm run serve` runs it, with default limits, and all of its game servers in its inventory.
import { Serve } from '#testkit/director/serve.js'
import { gameServerYaml } from '#testkit/objects/game-server.js'
import type { Endpoint } from '../forward/endpoints.js'

export interface DirectorOptions {
  readonly servers: readonly Endpoint[]
  /** Whether all of the servers are the default endpoint. */
  readonly hasDefault: boolean
  readonly engine: 'batch' | 'dgram'
}

const DATA_PORT = 'default'
/** Tokens asked for at once. */
const ASKERS = 10

export async function openDirector ({ servers, hasDefault, engine }: DirectorOptions): Promise<Serve> {
  return await Serve.open({
    isPatient: false,
    dataPorts: { [DATA_PORT]: 0 },
    settings: {
      engine,
      namespaces: ['games'],
      loadBalancing: { type: 'roundRobin' },
      ...hasDefault ? { defaultEndpoint: { resourceType: 'gameserver', namespace: 'games' } } : {}
    },
    inventory: { 'servers.yaml': servers.map(({ address, port }, index) => gameServerYaml(`server-${index}`, { [DATA_PORT]: port }, { address })).join('') }
  })
}

/** Where players send; the same after a restart. */
export function entranceOf ({ dataPorts }: Serve): Endpoint {
  return { address: '127.0.0.1', port: dataPorts[DATA_PORT]! }
}

/** Tokens, one for each of these. */
export async function tokensFor (director: Serve, targets: readonly Endpoint[]): Promise<readonly string[]> {
  const tokens: string[] = []
  for (let first = 0; first < targets.length; first += ASKERS) {
    tokens.push(...await Promise.all(targets.slice(first, first + ASKERS).map(async ({ address, port }) => await director.tokenFor({ address, ports: { [DATA_PORT]: port } }))))
  }
  return tokens
}
