// What the control process takes of the machine it runs on. wiring.ts makes everything else of it: whoever has another platform,
// as the simulation does, has the same control process.
import { randomBytes, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { setImmediate } from 'node:timers'
import { readPlace } from '#config/env.js'
import type { Interfaces } from '#config/own-listeners.js'
import type { Clock } from '#core/clock.js'
import type { Result } from '#core/result.js'
import { openUnixTransport } from '#rpc/http-transport.js'
import type { RpcTransport } from '#rpc/transport.js'
import { markedToken, TOKEN_KEY_WORDS } from '#wire/token-mac.js'
import type { Token } from '#wire/token.js'
import type { Advertised } from './advertise/advertised.js'
import { openAdvertised, type AdvertisedDeps } from './advertise/open-advertised.js'
import { openInventory } from './inventory/providers.js'
import { createDnsResolver } from './names/dns-resolver.js'
import type { NameResolver } from './names/host-names.js'
import { replicaName } from './replicas/replica-name.js'
import type { OpenStore } from './store/shared-store.js'

export interface ControlPlatform {
  readonly clock: Clock
  /** Calls `run` in the next turn of the event loop. */
  readonly soon: (run: () => void) => void
  /** Uniform in [0, 1): to choose and to spread, not to keep a secret. */
  readonly random: () => number
  /** A token that nobody can guess, with the mark of `key`. */
  readonly makeToken: (key: Uint32Array) => Token
  /** A key of such marks that nobody can guess: 32 hexadecimal digits. */
  readonly makeTokenKey: () => string
  /** See inventory/providers.ts. */
  readonly openInventory: typeof openInventory
  readonly openResolver: () => NameResolver
  /** Where clients send to, by the configuration and what this process was told of its place. See advertise/open-advertised.ts. */
  readonly openAdvertised: (deps: Omit<AdvertisedDeps, 'place'>) => Promise<Result<Advertised, string>>
  /** The store that directors share; see store/shared-store.ts. */
  readonly openStore: OpenStore
  /** The name of this replica, of this life of the process. No other one has it, and none had it. */
  readonly replicaName: () => string
  /** Of this director. */
  readonly version: string
  /** A way to the proxy, for so many calls at once. */
  readonly openTransport: (calls: number) => RpcTransport
  /** The addresses of this machine, at this moment. */
  readonly networkInterfaces: () => Interfaces
}

export interface MachineOptions {
  readonly clock: Clock
  readonly random: () => number
  /** The proxy's Unix socket. */
  readonly socketPath: string
}

/** The machine's own. */
export function machinePlatform ({ clock, random, socketPath }: MachineOptions): ControlPlatform {
  return {
    clock,
    soon: run => { setImmediate(run) },
    random,
    // Of the 122 bits of the system's generator (RFC 9562 §5.4) 90 stay.
    makeToken: key => markedToken(randomUUID() as string as Token, key),
    makeTokenKey: () => randomBytes(TOKEN_KEY_WORDS * 4).toString('hex'),
    openInventory,
    openResolver: createDnsResolver,
    openAdvertised: async deps => await openAdvertised({ ...deps, place: readPlace() }),
    // Its client library is read from disk only by those who need it.
    openStore: async options => {
      const { openValkeyStore } = await import('./store/valkey/open-valkey-store.js')
      return await openValkeyStore(options)
    },
    replicaName: () => replicaName(readPlace().podName),
    version: versionOf(),
    openTransport: calls => openUnixTransport(socketPath, calls),
    networkInterfaces
  }
}

// The same path leads to the package from the sources and from dist.
function versionOf (): string {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string }
  return version
}
