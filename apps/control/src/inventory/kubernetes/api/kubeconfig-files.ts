// Which kubeconfig files there are, and what @kubernetes/client-node does not read in them: a user's `tokenFile`, without
// which that user would be nobody (client-go's clientcmd/api/v1 AuthInfo; the library knows a `token-file` instead).
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join, resolve } from 'node:path'
import { parse } from 'yaml'
import { isMap } from '../../objects/json.js'

/** The files that the library reads outside of a pod: those of KUBECONFIG, or else that of the home directory. */
export function defaultKubeconfigs (): readonly string[] {
  // eslint-disable-next-line no-restricted-properties -- what kubectl and the library look at is not a setting of ours
  const { KUBECONFIG = '', HOME = '' } = process.env
  if (KUBECONFIG !== '') return KUBECONFIG.split(delimiter).filter(file => file !== '')
  const inHome = join(HOME, '.kube', 'config')
  return HOME !== '' && existsSync(inHome) ? [inHome] : []
}

/** The `tokenFile` of `userName` in the first of `files` that has this user. Throws if one cannot be read. */
export function tokenFileOf (userName: string, files: readonly string[]): string | undefined {
  for (const file of files) {
    const entry = usersIn(file).find(({ name }) => name === userName)
    if (entry === undefined) continue
    const tokenFile = isMap(entry['user']) ? entry['user']['tokenFile'] : undefined
    return typeof tokenFile === 'string' && tokenFile !== '' ? resolve(dirname(file), tokenFile) : undefined
  }
  return undefined
}

function usersIn (file: string): readonly Readonly<Record<string, unknown>>[] {
  const config: unknown = parse(readFileSync(file, 'utf8'))
  const users = isMap(config) ? config['users'] : undefined
  return Array.isArray(users) ? users.filter(isMap) : []
}
