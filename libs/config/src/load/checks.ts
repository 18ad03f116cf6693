// What the schema cannot say: values that must fit each other, and texts with a grammar of their own.
import { MAX_MAGIC_BYTES, magicFromHex, type MagicFault } from '#wire/control-packet.js'
import { quote, type Place, type PlacedFault } from '../fault.js'
import { didYouMean } from '../nearest.js'
import { portRange } from '../port-range.js'
import type { Config } from '../schema.js'
import { checkAddresses } from './check-addresses.js'
import { checkAdvertise } from './check-advertise.js'
import { checkAccess, checkAuth, checkBlocks } from './check-guards.js'
import { checkMapping, checkPath } from './check-mapping.js'
import { checkSharedState } from './check-shared-state.js'

interface Check {
  /** Keys that must fit the schema for the check to make sense. */
  readonly needs: ReadonlyArray<keyof Config>
  readonly run: (config: Config, isSound: (at: Place) => boolean) => PlacedFault[]
}

const magicSentences: Record<MagicFault, string> = {
  not_hex: 'must be hexadecimal: digits and the letters a to f.',
  odd_length: 'must have an even number of hexadecimal digits, two for each byte.',
  too_short: 'must be at least one byte: without it every datagram would be a control packet.',
  too_long: `must be at most ${MAX_MAGIC_BYTES} bytes.`
}

const checks: readonly Check[] = [
  { needs: ['controlPacketMagicBytes'], run: checkMagic },
  { needs: ['bindAddress'], run: ({ bindAddress, dataBindAddress }) => checkAddresses('bindAddress', bindAddress, dataBindAddress === undefined) },
  { needs: ['dataBindAddress'], run: ({ dataBindAddress = [] }) => checkAddresses('dataBindAddress', dataBindAddress, true) },
  { needs: ['queryPort', 'adminPort'], run: checkTcpPorts },
  { needs: ['dataPorts'], run: checkDataPorts },
  { needs: ['defaultEndpoint', 'resourceQueryMapping'], run: checkDefaultEndpoint },
  { needs: [], run: checkMappings },
  { needs: ['inventory'], run: checkInventory },
  { needs: ['inventory', 'resourceQueryMapping', 'namespaces', 'defaultEndpoint'], run: checkWhatToWatch },
  { needs: ['allowedTargets'], run: ({ allowedTargets }) => checkBlocks(['allowedTargets'], allowedTargets) },
  { needs: ['clients'], run: ({ clients: { allow, deny } }) => [...checkBlocks(['clients', 'allow'], allow), ...checkBlocks(['clients', 'deny'], deny)] },
  { needs: ['blockedSourcePorts'], run: checkSourcePorts },
  { needs: ['queryAccess'], run: ({ queryAccess }) => checkAccess('queryAccess', queryAccess) },
  { needs: ['adminAccess'], run: ({ adminAccess }) => checkAccess('adminAccess', adminAccess) },
  { needs: ['queryAuth'], run: ({ queryAuth }) => checkAuth('queryAuth', queryAuth) },
  { needs: ['adminAuth'], run: ({ adminAuth }) => checkAuth('adminAuth', adminAuth) },
  { needs: ['trustedProxies'], run: ({ trustedProxies }) => checkBlocks(['trustedProxies'], trustedProxies) },
  { needs: ['loadBalancing'], run: checkLoadBalancing },
  { needs: ['engine', 'dscp'], run: checkDscp },
  { needs: ['advertise', 'dataPorts'], run: checkAdvertise },
  { needs: ['sharedState'], run: ({ sharedState }) => checkSharedState(sharedState) }
]

/** Runs every check whose ground is sound. `config` has its defaults, and the faults the schema found in it. */
export function crossCheck (config: Config, schemaFaults: readonly PlacedFault[]): PlacedFault[] {
  // A fault on the way to a place makes it unsound, and so does one inside it.
  const isSound = (place: Place): boolean => !schemaFaults.some(({ at }) => place.every((step, index) => index >= at.length || at[index] === step))
  return checks.flatMap(({ needs, run }) => needs.every(key => isSound([key])) ? run(config, isSound) : [])
}

function checkMagic ({ controlPacketMagicBytes }: Config): PlacedFault[] {
  const magic = magicFromHex(controlPacketMagicBytes)
  return magic.ok ? [] : [{ at: ['controlPacketMagicBytes'], message: magicSentences[magic.error] }]
}

// With `auto` it is a warning of the proxy, if it comes to that.
function checkDscp ({ engine, dscp }: Config): PlacedFault[] {
  if (engine !== 'dgram' || dscp === 0) return []
  return [{ at: ['dscp'], message: 'needs the engine batch: dgram cannot write it.' }]
}

function checkTcpPorts ({ queryPort, adminPort }: Config): PlacedFault[] {
  if (queryPort !== adminPort || queryPort === 0) return []
  return [{ at: ['adminPort'], message: `is the same as queryPort (${queryPort}): the two APIs need a port each.` }]
}

function checkDataPorts ({ dataPorts }: Config): PlacedFault[] {
  return dataPorts.flatMap(({ name, port }, index) => {
    const before = dataPorts.slice(0, index)
    const faults: PlacedFault[] = []
    if (before.some(other => other.name === name)) faults.push({ at: ['dataPorts', index, 'name'], message: `is given twice: ${name}.` })
    if (port !== 0 && before.some(other => other.port === port)) faults.push({ at: ['dataPorts', index, 'port'], message: `is given twice: ${port}.` })
    return faults
  })
}

function checkDefaultEndpoint ({ defaultEndpoint, resourceQueryMapping }: Config): PlacedFault[] {
  if (defaultEndpoint === undefined) return []
  const { resourceType, statusQuery } = defaultEndpoint
  const types = Object.keys(resourceQueryMapping)
  const faults = checkPath(['defaultEndpoint', 'statusQuery', 'jsonPath'], statusQuery?.jsonPath)
  if (types.includes(resourceType)) return faults
  const known = types.length === 0 ? 'which is empty' : `which has ${types.join(', ')}`
  const message = `names no key of resourceQueryMapping, ${known}.${didYouMean(resourceType, types)}`
  return [{ at: ['defaultEndpoint', 'resourceType'], message }, ...faults]
}

function checkMappings ({ resourceQueryMapping, dataPorts }: Config, isSound: (at: Place) => boolean): PlacedFault[] {
  const names = isSound(['dataPorts']) ? dataPorts.map(({ name }) => name) : undefined
  // `?? {}`: the map itself may be unsound, while one unsound entry says nothing about the others.
  return Object.entries(resourceQueryMapping as Config['resourceQueryMapping'] | null ?? {}).flatMap(([type, mapping]) => {
    const at = ['resourceQueryMapping', type]
    if (!isSound(at)) return []
    return checkMapping(mapping, names).map(fault => ({ ...fault, at: [...at, ...fault.at] }))
  })
}

function checkInventory ({ inventory: { provider, path, kubeconfig } }: Config): PlacedFault[] {
  const faults: PlacedFault[] = []
  if (provider === 'file' && path === undefined) faults.push({ at: ['inventory', 'path'], message: 'is required by provider file: a directory or a file of YAML or JSON objects.' })
  if (provider === 'file' && kubeconfig !== undefined) faults.push({ at: ['inventory', 'kubeconfig'], message: 'is for provider kubernetes only; provider file has no use for it.' })
  if (provider === 'kubernetes' && path !== undefined) faults.push({ at: ['inventory', 'path'], message: 'is for provider file only; provider kubernetes has no use for it.' })
  return faults
}

function checkWhatToWatch ({ inventory, namespaces, defaultEndpoint, resourceQueryMapping }: Config): PlacedFault[] {
  if (inventory.provider === 'file') return []
  const faults: PlacedFault[] = []
  if (Object.keys(resourceQueryMapping).length === 0) faults.push({ at: ['resourceQueryMapping'], message: 'is required by provider kubernetes: it says which resources to watch.' })
  if ((namespaces ?? []).length === 0 && defaultEndpoint === undefined) faults.push({ at: ['namespaces'], message: 'is required by provider kubernetes, unless defaultEndpoint names one: it says where to watch.' })
  return faults
}

function checkSourcePorts ({ blockedSourcePorts }: Config): PlacedFault[] {
  return blockedSourcePorts.flatMap((text, index) => portRange(String(text)) === undefined
    ? [{ at: ['blockedSourcePorts', index], message: `must be a port such as "1900" or a range such as "0-1023", up to 65535, not ${quote(String(text))}.` }]
    : [])
}

function checkLoadBalancing ({ loadBalancing }: Config): PlacedFault[] {
  if (loadBalancing.type !== 'labelArithmetic') return []
  const labels = ['currentLabel', 'maxLabel'] as const
  return labels.filter(label => loadBalancing[label] === undefined).map(label =>
    ({ at: ['loadBalancing', label], message: 'is required by type labelArithmetic.' }))
}
