// The store of several directors: what the schema cannot say of it.
import type { PlacedFault } from '../fault.js'
import type { SharedState } from '../schema.js'
import { storeAddress } from './store-address.js'

const tlsKeys = ['caFile', 'certFile', 'keyFile', 'serverName'] as const
const sentinelKeys = ['sentinelName', 'sentinelUsername', 'sentinelPasswordFile'] as const

export function checkSharedState (sharedState: SharedState | undefined): PlacedFault[] {
  return sharedState === undefined ? [] : [...urlFaults(sharedState), ...keyFaults(sharedState)].map(({ at, message }) => ({ at: ['sharedState', ...at], message }))
}

function urlFaults ({ urls, mode }: SharedState): PlacedFault[] {
  const addresses = urls.map(url => storeAddress(url, mode))
  const kinds = new Set(addresses.flatMap(address => address.ok ? [address.value.isTls] : []))
  return [
    ...addresses.flatMap((address, index) => address.ok ? [] : [{ at: ['urls', index], message: address.error }]),
    ...urls.flatMap((url, index) => urls.indexOf(url) < index && addresses[index]!.ok ? [{ at: ['urls', index], message: `is given twice: ${url}.` }] : []),
    ...kinds.size > 1 ? [{ at: ['urls'], message: 'must be all with TLS or all without it.' }] : [],
    ...mode === 'single' && urls.length > 1 ? [{ at: ['urls'], message: 'must be one with mode single: several ones are sentinels or nodes of a cluster, which mode says.' }] : []
  ]
}

function keyFaults (sharedState: SharedState): PlacedFault[] {
  const { mode, urls, certFile, keyFile } = sharedState
  const isTls = urls.some(url => /^(?:valkeys|rediss):/.test(url))
  const given = <Key extends keyof SharedState>(keys: readonly Key[]): Key[] => keys.filter(key => sharedState[key] !== undefined)
  const faults: PlacedFault[] = []
  if (mode === 'sentinel' && sharedState.sentinelName === undefined) faults.push({ at: ['sentinelName'], message: 'is required by mode sentinel: the name of the group of servers, as the sentinels know it.' })
  if (mode !== 'sentinel') faults.push(...given(sentinelKeys).map(key => ({ at: [key], message: `is for mode sentinel only; mode ${mode} has no use for it.` })))
  if (!isTls) faults.push(...given(tlsKeys).map(key => ({ at: [key], message: 'is for TLS only: urls must begin with valkeys:// or rediss://.' })))
  if ((certFile === undefined) !== (keyFile === undefined)) faults.push({ at: [certFile === undefined ? 'certFile' : 'keyFile'], message: `is required by ${certFile === undefined ? 'keyFile' : 'certFile'}: a certificate and its key go together.` })
  if (sharedState.username !== undefined && sharedState.passwordFile === undefined) faults.push({ at: ['passwordFile'], message: 'is required by username.' })
  if (sharedState.sentinelUsername !== undefined && sharedState.sentinelPasswordFile === undefined) faults.push({ at: ['sentinelPasswordFile'], message: 'is required by sentinelUsername.' })
  return faults
}
