// From `advertise` of the configuration, and what the environment says of this pod, to what answers say.
import type { BaseLogger } from 'pino'
import { addressFault, needsPodName, withPodName } from '#config/advertised.js'
import { placeVariables, type Place } from '#config/env.js'
import { readTextFile } from '#config/read-text-file.js'
import type { Advertise, Config } from '#config/schema.js'
import type { Clock } from '#core/clock.js'
import { err, ok, type Result } from '#core/result.js'
import type { Credentials } from '../inventory/kubernetes/api/access.js'
import { createTransport } from '../inventory/kubernetes/api/transport.js'
import { advertisedAs, fixedAddress, notAdvertised, type Advertised, type KnownAddress } from './advertised.js'
import { followObject, type ObjectName } from './followed-object.js'
import { nodeAddress, serviceAddress, type AddressOf } from './object-address.js'

export interface AdvertisedDeps {
  readonly config: Pick<Config, 'advertise' | 'inventory'>
  readonly place: Place
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly log: Pick<BaseLogger, 'info' | 'warn'>
  /** Instead of those that the configuration and the surroundings give. */
  readonly credentials?: Credentials
}

const SERVICE_ACCOUNT_NAMESPACE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace'
const MAX_NAMESPACE_BYTES = 1024

/** Begins to follow the address. Fails, with a sentence for the operator, only for what they would have to change. */
export async function openAdvertised (deps: AdvertisedDeps): Promise<Result<Advertised, string>> {
  const { config: { advertise = {} }, place } = deps
  if (deps.config.advertise === undefined && place.advertise === undefined) return ok(notAdvertised)
  const unnamed = placeWithoutPodName(advertise, place)
  if (unnamed !== undefined) return err(unnamed)
  const known = await knownAddress(deps, advertise)
  return known.ok ? ok(advertisedAs(known.value, advertise, place.podName)) : known
}

async function knownAddress (deps: AdvertisedDeps, { address, service, node }: Advertise): Promise<Result<KnownAddress, string>> {
  const { place } = deps
  if (place.advertise !== undefined) return fixed(placeVariables.advertise, place.advertise)
  if (address !== undefined) return fixed('advertise.address', withPodName(address, place.podName ?? ''))
  if (service !== undefined) {
    const namespace = place.podNamespace ?? ownNamespace()
    if (namespace === undefined) return err(`advertise.service: nothing says in which namespace this pod is: ${placeVariables.podNamespace} is not set, and there is no service account.`)
    return await followed(deps, 'advertise.service', { kind: 'Service', namespace, name: withPodName(service, place.podName ?? '') }, serviceAddress)
  }
  if (node !== undefined) {
    if (place.nodeName === undefined) return err(`advertise.node: ${placeVariables.nodeName} is not set, which says on which Node this pod is (fieldRef: spec.nodeName).`)
    return await followed(deps, 'advertise.node', { kind: 'Node', namespace: undefined, name: place.nodeName }, nodeAddress(node))
  }
  return err(`advertise: says nothing of the address: give one of address, service and node, or set ${placeVariables.advertise}.`)
}

function placeWithoutPodName ({ address, service, queryUrl }: Advertise, { podName, advertise }: Place): string | undefined {
  if (podName !== undefined) return undefined
  const texts = advertise === undefined ? { address, service, queryUrl } : { queryUrl }
  const key = Object.entries(texts).find(([, text]) => text !== undefined && needsPodName(text))?.[0]
  return key === undefined ? undefined : `advertise.${key}: has $POD_NAME, but ${placeVariables.podName} is not set (fieldRef: metadata.name).`
}

function fixed (name: string, address: string): Result<KnownAddress, string> {
  const fault = addressFault(address)
  return fault === undefined ? ok(fixedAddress(address)) : err(`${name}: ${fault}`)
}

async function followed (deps: AdvertisedDeps, key: string, object: ObjectName, addressOf: AddressOf): Promise<Result<KnownAddress, string>> {
  const credentials = await usableCredentials(deps)
  if (!credentials.ok) return err(`${key}: ${credentials.error}`)
  const { clock, random, log } = deps
  return ok(followObject({ object, addressOf, transport: createTransport(credentials.value), clock, random, log }))
}

async function usableCredentials ({ config: { inventory: { kubeconfig } }, credentials }: AdvertisedDeps): Promise<Result<Credentials, string>> {
  if (credentials !== undefined) return ok(credentials)
  const { openCredentials } = await import('../inventory/kubernetes/api/credentials.js')
  return openCredentials({ remedy: `Give the address itself (advertise.address, or ${placeVariables.advertise}) where there is no cluster.`, ...(kubeconfig === undefined ? {} : { kubeconfig }) })
}

function ownNamespace (): string | undefined {
  const text = readTextFile(SERVICE_ACCOUNT_NAMESPACE, 'namespace', MAX_NAMESPACE_BYTES)
  return text.ok ? text.value.trim() || undefined : undefined
}
