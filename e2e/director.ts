// A running director for a suite: `serve` with a configuration and an inventory of its own.
import { Serve, type ServeOptions } from '#testkit/director/serve.js'
import { gameServerYaml } from '#testkit/objects/game-server.js'

export const DATA_PORT = 'default'

export interface TargetPlace {
  readonly name: string
  readonly address: string
  readonly port: number
}

/** What every director of these checks has in its configuration, and an inventory of these. */
export function withTargets (targets: readonly TargetPlace[], settings: object = {}): ServeOptions {
  return {
    dataPorts: { [DATA_PORT]: 0 },
    // Bound to what is said or, where nothing is said, to every address.
    settings: { bindAddress: undefined, ...settings },
    inventory: { 'servers.yaml': targets.map(({ name, address, port }) => gameServerYaml(name, { [DATA_PORT]: port }, { address, labels: { name } })).join('') }
  }
}

const open = new Set<Serve>()

/**
 * Starts a director that knows `targets` and sends clients without a token to the first of them.
 * @param settings more keys of the configuration
 */
export async function startDirector (targets: readonly TargetPlace[], settings: object = {}): Promise<Serve> {
  return await start(withTargets(targets, {
    // Each question is the first datagram of a session, and its answer is longer.
    limits: { amplificationFactor: 0 },
    allowedTargets: ['127.0.0.0/8', '::1/128'],
    defaultEndpoint: { resourceType: 'gameserver', namespace: 'games', labelSelector: { name: targets[0]?.name ?? '' } },
    ...settings
  }))
}

export async function start (options: ServeOptions): Promise<Serve> {
  const director = await Serve.open(options)
  open.add(director)
  return director
}

/** A token for the target of this name. */
export async function query (director: Serve, target: string): Promise<string> {
  return await director.query({ labelSelector: { name: target } })
}

/** Ends every director that is still there. */
export async function closeDirectors (): Promise<void> {
  await Promise.all([...open].map(async director => {
    open.delete(director)
    await director.close()
  }))
}
