// Whether a server can be the shared store: what its INFO says (valkey.io/commands/info), because CONFIG is forbidden at many managed
// ones. Pure.
import type { SharedState } from '#config/schema.js'

const LEAST_VALKEY = [7, 2] as const
const LEAST_REDIS = [7, 0] as const

/** What `INFO` says, by name. */
export function fieldsOfInfo (info: string): ReadonlyMap<string, string> {
  return new Map(info.split('\n').flatMap(line => {
    const colon = line.indexOf(':')
    return line.startsWith('#') || colon === -1 ? [] : [[line.slice(0, colon), line.slice(colon + 1).trim()] as const]
  }))
}

/** What is wrong with it and what to do, as a sentence without its point; undefined if it is suitable. */
export function unsuitability (info: string, mode: SharedState['mode']): string | undefined {
  const fields = fieldsOfInfo(info)
  return versionFault(fields) ?? modeFault(fields, mode) ?? roleFault(fields, mode) ?? memoryFault(fields)
}

function versionFault (fields: ReadonlyMap<string, string>): string | undefined {
  // Valkey says a redis_version, too: that of the Redis it was made from.
  const valkey = fields.get('valkey_version')
  const version = valkey ?? fields.get('redis_version')
  if (version === undefined) return 'the server does not tell its version: it must be Valkey 7.2 or Redis 7.0, or newer'
  const [name, [least, leastMinor]] = valkey === undefined ? ['Redis', LEAST_REDIS] as const : ['Valkey', LEAST_VALKEY] as const
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > least || (major === least && minor >= leastMinor) ? undefined : `the server is ${name} ${version}: it must be ${least}.${leastMinor} or newer`
}

function modeFault (fields: ReadonlyMap<string, string>, mode: SharedState['mode']): string | undefined {
  const found = fields.get('server_mode') ?? fields.get('redis_mode')
  if (found === 'sentinel') return 'the server is a sentinel: sharedState.mode must be sentinel'
  if (found === 'cluster' && mode !== 'cluster') return 'the server is a node of a cluster: sharedState.mode must be cluster'
  return undefined
}

function roleFault (fields: ReadonlyMap<string, string>, mode: SharedState['mode']): string | undefined {
  if (mode === 'cluster' || fields.get('role') === 'master') return undefined
  return 'the server is a replica, which cannot be written to: sharedState.urls must name the primary, or the sentinels with mode sentinel'
}

function memoryFault (fields: ReadonlyMap<string, string>): string | undefined {
  const policy = fields.get('maxmemory_policy')
  if (policy === 'noeviction' || fields.get('maxmemory') === '0') return undefined
  if (policy === undefined) return 'the server does not tell its maxmemory_policy: it must be noeviction'
  return `the server throws keys away when its memory is full (maxmemory-policy ${policy}): set maxmemory-policy noeviction, so that no token is redeemed twice`
}
