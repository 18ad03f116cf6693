// Where the API server is and how to authenticate, as kubectl would find it. The one file that knows
// @kubernetes/client-node, which takes most of a second to load: import this one only when it is needed.
import { accessSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { RequestOptions } from 'node:https'
import { dirname } from 'node:path'
import { KubeConfig, type Cluster } from '@kubernetes/client-node'
import { readTextFile } from '#config/read-text-file.js'
import { err, ok, type Result } from '#core/result.js'
import type { Access, Credentials, TlsOptions } from './access.js'
import { defaultKubeconfigs, tokenFileOf } from './kubeconfig-files.js'

export interface CredentialsOptions {
  /** A kubeconfig file. Default: the service account of the pod, or else KUBECONFIG, or else ~/.kube/config. */
  readonly kubeconfig?: string
  /** What to do where there are no credentials: one sentence or several. */
  readonly remedy?: string
  /** Where the root of the file system with the service account is; tests set it. */
  readonly root?: string
}

/** Longest kubeconfig that is read, in bytes: one with a hundred clusters and their certificates has a tenth of it. */
const MAX_KUBECONFIG_BYTES = 4 * 1024 * 1024

const SERVICE_ACCOUNT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token'

/** Reads the credentials once; fails with a sentence for the operator. */
export function openCredentials (options: CredentialsOptions): Result<Credentials, string> {
  const first = load(options)
  if (!first.ok) return first
  let config: KubeConfig | undefined = first.value
  let files = filesOf(first.value, options)
  return ok({
    access: async () => {
      const loaded = config === undefined ? load(options) : ok(config)
      if (!loaded.ok) return loaded
      config = loaded.value
      files = filesOf(config, options)
      return await accessFrom(config)
    },
    refresh: () => { config = undefined },
    mark: async () => (await Promise.all(files.map(markOf))).join()
  })
}

function filesOf (config: KubeConfig, options: CredentialsOptions): readonly string[] {
  const user = config.getCurrentUser()
  return [...kubeconfigsOf(options), config.getCurrentCluster()?.caFile, user?.certFile, user?.keyFile, tokenFileIn(config)]
    .filter(file => typeof file === 'string')
}

function tokenFileIn (config: KubeConfig): unknown {
  const provider = config.getCurrentUser()?.authProvider as { readonly config?: { readonly tokenFile?: unknown } } | undefined
  return provider?.config?.tokenFile
}

// Follows symbolic links: the kubelet replaces the folder that a token's link leads into.
async function markOf (file: string): Promise<string> {
  try {
    const { ino, size, mtimeMs, ctimeMs } = await stat(file)
    return `${ino} ${size} ${mtimeMs} ${ctimeMs}`
  } catch {
    // Gone for now: another mark than that of any file.
    return 'none'
  }
}

function kubeconfigsOf ({ kubeconfig, root = '' }: CredentialsOptions): readonly string[] {
  if (kubeconfig !== undefined) return [kubeconfig]
  return isReadable(root + SERVICE_ACCOUNT_TOKEN) ? [] : defaultKubeconfigs()
}

function load (options: CredentialsOptions): Result<KubeConfig, string> {
  const { kubeconfig, root = '' } = options
  const config = new KubeConfig()
  const origin = kubeconfig === undefined ? 'The kubeconfig' : `The kubeconfig ${kubeconfig}`
  try {
    if (kubeconfig !== undefined) {
      const text = readTextFile(kubeconfig, 'kubeconfig', MAX_KUBECONFIG_BYTES)
      if (!text.ok) return err(`${origin} cannot be used: it ${text.error}.`)
      config.loadFromString(text.value)
      config.makePathsAbsolute(dirname(kubeconfig))
    } else if (isReadable(root + SERVICE_ACCOUNT_TOKEN)) config.loadFromCluster(root)
    else config.loadFromDefault()
    addTokenFile(config, kubeconfigsOf(options))
  } catch (error) {
    // The library looks into whatever the file holds.
    return err(`${origin} cannot be used: ${error instanceof TypeError ? 'it is not a kubeconfig.' : messageOf(error)}`)
  }
  const fault = faultOf(config, origin, options)
  return fault === undefined ? ok(config) : err(fault)
}

// In the form the library reads itself, for service accounts. The file goes before a token beside it, as with kubectl.
function addTokenFile (config: KubeConfig, files: readonly string[]): void {
  const userName = config.getCurrentUser()?.name
  const tokenFile = userName === undefined ? undefined : tokenFileOf(userName, files)
  if (tokenFile === undefined) return
  const authProvider = { name: 'tokenFile', config: { tokenFile } }
  config.users = config.users.map(({ token, ...user }) => user.name === userName ? { ...user, authProvider } : { ...user, ...token === undefined ? {} : { token } })
}

function faultOf (config: KubeConfig, origin: string, { remedy = 'Set inventory.kubeconfig, or inventory.provider: file.' }: CredentialsOptions): string | undefined {
  // What the library makes up when it finds nothing.
  if (config.getCurrentContext() === 'loaded-context') {
    return `There are no Kubernetes credentials: no service account, no KUBECONFIG, no ~/.kube/config. ${remedy}`
  }
  const context = config.getCurrentContext() as string | undefined
  if (context === undefined || config.getContextObject(context) === null) return `${origin} has no context ${context ?? '(current-context is not set)'}.`
  const cluster = config.getCurrentCluster()
  if (cluster === null) return `${origin} has no cluster ${config.getContextObject(context)?.cluster ?? ''}, which its context names.`
  if (cluster.name === 'inCluster' && !URL.canParse(cluster.server)) {
    return 'There is a service account, but KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT do not say where the API server is.'
  }
  if (!URL.canParse(cluster.server) || !/^https?:/.test(cluster.server)) return `${origin} has a server that is not an http or https URL: ${cluster.server}.`
  return hasUsableProxy(cluster) ? undefined : `${origin} has a proxy-url that is not an http or https URL.`
}

// Not said in the fault: it may hold a password. The library takes socks5 too; undici calls that experimental.
function hasUsableProxy ({ proxyUrl = '' }: Cluster): boolean {
  return proxyUrl === '' || (URL.canParse(proxyUrl) && /^https?:/.test(proxyUrl))
}

// Asks anew each time: the library re-reads token files after a minute, certificates at once, and plugins that expired.
async function accessFrom (config: KubeConfig): Promise<Result<Access, string>> {
  const { server = '', proxyUrl = '' } = config.getCurrentCluster() ?? {}
  // The library refuses http:// unless TLS need not be verified, which without TLS it need not.
  const usable = server.startsWith('http:') ? withoutVerification(config) : config
  const options: RequestOptions = {}
  try {
    await usable.applyToHTTPSOptions(options)
  } catch (error) {
    return err(`The Kubernetes credentials cannot be read: ${messageOf(error)}`)
  }
  const headers = headersFrom(options)
  const tokenFile = tokenFileIn(usable)
  // Without a token we would be nobody, and nobody lacks every Role: a file that is being written may be empty for a moment.
  if (typeof tokenFile === 'string' && /^(?:Bearer)?$/.test(headers['Authorization'] ?? '')) {
    return err(`The Kubernetes credentials cannot be read: there is no token in ${tokenFile}.`)
  }
  return ok({
    baseUrl: server.replace(/\/+$/, ''),
    tls: tlsFrom(options),
    headers,
    ...proxyUrl === '' ? {} : { proxyUrl }
  })
}

function withoutVerification (config: KubeConfig): KubeConfig {
  config.clusters = config.clusters.map(cluster => ({ ...cluster, skipTLSVerify: true }))
  return config
}

function tlsFrom ({ ca, cert, key, servername, rejectUnauthorized }: RequestOptions): TlsOptions {
  return {
    ...(ca === undefined ? {} : { ca: textOf(ca) }),
    ...(cert === undefined ? {} : { cert: textOf(cert) }),
    ...(key === undefined ? {} : { key: textOf(key) }),
    ...(servername === undefined ? {} : { servername }),
    rejectUnauthorized: rejectUnauthorized !== false
  }
}

// Token files end with a line feed, which no header may contain.
function headersFrom ({ headers = {}, auth }: RequestOptions): Record<string, string> {
  const all = auth === undefined || auth === null ? {} : { Authorization: `Basic ${Buffer.from(auth).toString('base64')}` }
  return { ...all, ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value).trim()])) }
}

function textOf (pem: unknown): string {
  return Buffer.isBuffer(pem) ? pem.toString() : String(pem)
}

function messageOf (error: unknown): string {
  const message = error instanceof Error ? error.message.trim() : String(error)
  return message === '' ? 'the credentials plugin failed without a word.' : message
}

function isReadable (path: string): boolean {
  try {
    accessSync(path)
    return true
  } catch {
    // Not there, or not for us: not in a pod.
    return false
  }
}
