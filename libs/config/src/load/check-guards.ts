// Who may call the HTTP listeners and what they must bring: what the schema cannot say of it.
import ipaddr from 'ipaddr.js'
import { quote, type Place, type PlacedFault } from '../fault.js'
import type { Access, Auth } from '../schema.js'

/** Faults of a list of CIDR blocks. */
export function checkBlocks (at: Place, blocks: readonly string[] = []): PlacedFault[] {
  return blocks.flatMap((block, index) => ipaddr.isValidCIDR(block)
    ? []
    : [{ at: [...at, index], message: `must be a CIDR block such as 10.0.0.0/8 or 2001:db8::/32, not ${quote(block)}.` }])
}

export function checkAccess (key: string, { allow, deny }: Access): PlacedFault[] {
  return [...checkBlocks([key, 'allow'], allow), ...checkBlocks([key, 'deny'], deny)]
}

const keysOf = {
  none: [],
  keys: ['keysFile'],
  jwt: ['jwksFile', 'jwksUrl', 'issuer', 'audience']
} as const satisfies Record<Auth['type'], ReadonlyArray<keyof Auth>>

/** Each type has its own keys and needs them; those of another would only look as if they did something. */
export function checkAuth (key: string, auth: Auth): PlacedFault[] {
  const { type } = auth
  const faults: PlacedFault[] = []
  const isGiven = (name: keyof Auth): boolean => auth[name] !== undefined
  for (const owner of ['keys', 'jwt'] as const) {
    if (owner === type) continue
    for (const name of keysOf[owner]) if (isGiven(name)) faults.push({ at: [key, name], message: `is for type ${owner} only; type ${type} has no use for it.` })
  }
  const required = type === 'keys' ? ['keysFile'] as const : type === 'jwt' ? ['issuer', 'audience'] as const : []
  for (const name of required) if (!isGiven(name)) faults.push({ at: [key, name], message: `is required by type ${type}.` })
  if (type === 'jwt') faults.push(...checkKeySet(key, auth))
  return faults
}

function checkKeySet (key: string, { jwksFile, jwksUrl }: Auth): PlacedFault[] {
  if ((jwksFile === undefined) === (jwksUrl === undefined)) return [{ at: [key, 'jwksUrl'], message: 'is required by type jwt, or jwksFile: exactly one of the two.' }]
  const protocol = jwksUrl === undefined ? 'https:' : URL.canParse(jwksUrl) ? new URL(jwksUrl).protocol : ''
  return protocol === 'https:' || protocol === 'http:' ? [] : [{ at: [key, 'jwksUrl'], message: 'must be an http or https URL.' }]
}
