// The configuration of a director that is driven: on loopback, on ports that are free, and more patient than people are.
import { parse } from 'yaml'

/** Keys of the configuration, as YAML or as an object. They go before what is meant where they say nothing. */
export type Settings = string | Readonly<Record<string, unknown>>

export interface ConfigOptions {
  readonly settings?: Settings
  /** Ports by name; 0 is one of the system's choice. Default: `game` and `voice`, both 0. */
  readonly dataPorts?: Readonly<Record<string, number>>
  /** As it is shipped, where nobody says otherwise: a busy machine may be too slow for it. Default: with the patience of a test. */
  readonly isPatient?: boolean
}

export const anyDataPorts = { game: 0, voice: 0 } as const

// A query waits for the proxy as long as it may, and a token for its client: a busy machine is not a reason to refuse one.
const patient = { tokenTtlSeconds: 3600, limits: { pushDeadlineMs: 60_000 } }

/** The text of a file, with an inventory beside it in the folder `inventory`, of GameServers with ports named like the data ports. */
export function configText ({ settings = {}, dataPorts = anyDataPorts, isPatient = true }: ConfigOptions = {}): string {
  const asked = keysOf(settings)
  const names = Object.keys(dataPorts)
  return textOf({
    bindAddress: '127.0.0.1',
    queryPort: 0,
    adminPort: 0,
    dataPorts: names.map(name => ({ name, port: dataPorts[name] })),
    inventory: { provider: 'file', path: 'inventory' },
    allowedTargets: ['127.0.0.0/8'],
    resourceQueryMapping: {
      gameserver: { group: 'agones.dev', version: 'v1', resource: 'gameservers', addressPath: 'status.address', ports: names.map(name => ({ name, portName: name })) }
    },
    drainTimeoutSeconds: 0,
    ...isPatient ? patient : {},
    ...asked,
    limits: { ...isPatient ? patient.limits : {}, ...asked['limits'] as object | undefined }
  })
}

/** The text of a configuration with other settings. */
export function withSettings (text: string, settings: Settings): string {
  return textOf({ ...keysOf(text), ...keysOf(settings) })
}

function keysOf (settings: Settings): Readonly<Record<string, unknown>> {
  return typeof settings === 'string' ? parse(settings) as Readonly<Record<string, unknown>> | null ?? {} : settings
}

// JSON is YAML.
function textOf (keys: object): string {
  return `${JSON.stringify(keys, undefined, 2)}\n`
}
