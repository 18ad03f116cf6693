// What clients ask before they ask for objects: versions, groups, and the resources of a group. Only the legacy form:
// a client that prefers the aggregated one says in `Accept` that it takes this too.
import { apiVersionOf, type ResourceType } from '../objects/resource-type.js'

/** The version it says it is: the newest that client-node 1.4 and Debian's kubectl both know how to talk to. */
const VERSION = { major: '1', minor: '34', gitVersion: 'v1.34.0', gitCommit: '', gitTreeState: 'clean', buildDate: '2025-08-27T10:09:04Z', goVersion: 'go1.24.6', compiler: 'gc', platform: 'linux/amd64' }

/** The answer to a discovery path; undefined if it is none, or of a group that is not served. */
export function discover (path: string, types: readonly ResourceType[], serverAddress: string): object | undefined {
  const parts = path.split('/').filter(part => part !== '')
  const [root, ...rest] = parts
  if (path === '/version') return VERSION
  if (root === 'api') return rest.length === 0 ? apiVersions(serverAddress) : rest.length === 1 ? resourceList(types, '', rest[0]!) : undefined
  if (root !== 'apis') return undefined
  const [group, version] = rest
  if (group === undefined) return { kind: 'APIGroupList', apiVersion: 'v1', groups: groupsOf(types).map(name => groupOf(types, name)) }
  if (version === undefined) return groupsOf(types).includes(group) ? { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(types, group) } : undefined
  return rest.length === 2 ? resourceList(types, group, version) : undefined
}

function apiVersions (serverAddress: string): object {
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }] }
}

function groupsOf (types: readonly ResourceType[]): string[] {
  return [...new Set(types.map(({ group }) => group))].filter(group => group !== '')
}

function groupOf (types: readonly ResourceType[], name: string): object {
  const versions = [...new Set(types.filter(({ group }) => group === name).map(({ version }) => version))]
    .map(version => ({ groupVersion: `${name}/${version}`, version }))
  return { name, versions, preferredVersion: versions[0] }
}

function resourceList (types: readonly ResourceType[], group: string, version: string): object | undefined {
  const own = types.filter(type => type.group === group && type.version === version)
  // The core group is there even with nothing in it.
  if (own.length === 0 && !(group === '' && version === 'v1')) return undefined
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: own[0] === undefined ? version : apiVersionOf(own[0]), resources: own.map(resourceOf) }
}

function resourceOf ({ plural, kind, namespaced, shortNames }: ResourceType): object {
  return { name: plural, singularName: kind.toLowerCase(), namespaced, kind, verbs: ['get', 'list', 'watch'], ...(shortNames === undefined ? {} : { shortNames }) }
}
