// The target an operator or a matchmaker names: an object of the inventory, or an address that policy allows.
import type { Static } from '@sinclair/typebox'
import type { Config, Selection } from '#config/schema.js'
import { err, ok } from '#core/result.js'
import type { Target } from '#rpc/contract.js'
import { addressWords, formatAddress } from '#wire/address.js'
import type { Outcome } from '../problems/problem.js'
import type { Selector } from '../../query/selector.js'
import type { TargetPolicy } from '../../targets/target-policy.js'
import type { AddressTargetSchema, TargetRequestSchema } from '../schemas/target.js'

type TargetRequest = Static<typeof TargetRequestSchema>
type AddressTarget = Static<typeof AddressTargetSchema>

export interface TargetSources {
  readonly config: Pick<Config, 'dataPorts'>
  readonly selector: Pick<Selector, 'resolve'>
  readonly policy: TargetPolicy
}

/** Finds the target a request names; fields beyond that are ignored. */
export function requestedTarget (request: TargetRequest, sources: TargetSources): Outcome<Target> {
  if ('address' in request) return targetByAddress(request, sources)
  const { resourceType, namespace, name } = request
  const found = sources.selector.resolve({ resourceType, namespace, name })
  return found.ok ? ok(found.value.target) : found
}

/** The selection that a request's target must go on to match: any state of the object it names; undefined for an address. */
export function requestedSelection (request: TargetRequest): Selection | undefined {
  return 'address' in request ? undefined : { resourceType: request.resourceType, namespace: request.namespace }
}

function targetByAddress ({ address, ports }: AddressTarget, { config, policy }: TargetSources): Outcome<Target> {
  const words = addressWords(address)
  if (words === undefined) return err({ code: 'INVALID_TARGET', detail: 'The address is not an IPv4 or IPv6 address.', errors: [{ path: '/address', message: 'must be an IP address' }] })
  const names = config.dataPorts.map(({ name }) => name)
  const unknown = Object.keys(ports).filter(name => !names.includes(name))
  if (unknown.length > 0) return err({ code: 'INVALID_TARGET', detail: 'A port is for a data port that is not configured.', errors: unknown.map(name => ({ path: `/ports/${name.slice(0, 100)}`, message: `must be one of ${names.join(', ')}` })) })
  const canonical = formatAddress(words)
  const target = { key: keyOf(canonical, names.map(name => ports[name])), address: canonical, ports }
  const refusal = policy.check(target)
  return refusal === undefined ? ok(target) : err(refusal)
}

// Ports in the order of the configuration, so that the same place always has the same key and its sessions are counted together.
function keyOf (address: string, ports: ReadonlyArray<number | undefined>): string {
  return `address/${address}/${ports.map(port => port ?? '-').join(',')}`
}
