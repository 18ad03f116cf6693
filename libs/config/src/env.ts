// The only reader of the process's environment. A few variables of ours, and what a pod is told of itself; everything else is in
// the configuration file.
import { err, ok, type Result } from '#core/result.js'
import { quote, type ConfigFault } from './fault.js'
import { didYouMean } from './nearest.js'

export const logLevels = ['error', 'warn', 'info', 'debug', 'trace'] as const

export type LogLevel = typeof logLevels[number]

export interface Environment {
  /** `CONFIG_PATH`: the configuration file. */
  readonly configPath: string
  /** `LOG_LEVEL`. */
  readonly logLevel: LogLevel
  /** `UDP_DIRECTOR_SOCKET`: the Unix socket between control and proxy. */
  readonly socketPath: string
  /** `UDP_DIRECTOR_STATE`: what the names of the proxy's state logs begin with; undefined if it keeps none. */
  readonly statePath: string | undefined
}

/** What each variable is when it is not set, or empty. */
export const environmentDefaults: Environment = {
  configPath: '/etc/udp-director/config.yaml',
  logLevel: 'info',
  socketPath: '/run/udp-director/proxy.sock',
  statePath: '/run/udp-director/proxy.state'
}

export const variables = {
  configPath: 'CONFIG_PATH',
  logLevel: 'LOG_LEVEL',
  socketPath: 'UDP_DIRECTOR_SOCKET',
  statePath: 'UDP_DIRECTOR_STATE'
} as const satisfies Record<keyof Environment, string>

/** Where this process runs, as far as it was told. */
export interface Place {
  /** `UDP_DIRECTOR_ADVERTISE`: the address that clients send to, whatever `advertise` of the configuration names. */
  readonly advertise: string | undefined
  /** `POD_NAME`. */
  readonly podName: string | undefined
  /** `POD_NAMESPACE`. */
  readonly podNamespace: string | undefined
  /** `NODE_NAME`. */
  readonly nodeName: string | undefined
}

/** Set by the downward API (`fieldRef: metadata.name`, `metadata.namespace`, `spec.nodeName`), but for the first. */
export const placeVariables = {
  advertise: 'UDP_DIRECTOR_ADVERTISE',
  podName: 'POD_NAME',
  podNamespace: 'POD_NAMESPACE',
  nodeName: 'NODE_NAME'
} as const satisfies Record<keyof Place, string>

/** The value of `UDP_DIRECTOR_STATE` that keeps nothing for a restart. */
export const NO_STATE = 'off'

/** Longest path of a Unix socket, in bytes: sun_path less its closing zero (Linux unix(7)). */
export const MAX_SOCKET_PATH_BYTES = 107

type Variables = Readonly<Record<string, string | undefined>>

/** Reads the environment; faults name the variable. */
export function readEnvironment (env: Variables = process.env): Result<Environment, readonly ConfigFault[]> {
  const read = (name: keyof Environment): string => env[variables[name]] ?? ''
  const logLevel = logLevelFrom(read('logLevel'))
  const socketPath = read('socketPath') || environmentDefaults.socketPath
  const faults: ConfigFault[] = []
  if (logLevel === undefined) faults.push({ path: variables.logLevel, message: logLevelFault(read('logLevel')) })
  if (Buffer.byteLength(socketPath) > MAX_SOCKET_PATH_BYTES) {
    faults.push({ path: variables.socketPath, message: `must be at most ${MAX_SOCKET_PATH_BYTES} bytes long: a Unix socket cannot have a longer path.` })
  }
  if (logLevel === undefined || faults.length > 0) return err(faults)
  return ok({ configPath: read('configPath') || environmentDefaults.configPath, logLevel, socketPath, statePath: statePathFrom(read('statePath'), socketPath) })
}

/** What the environment says of where this process runs; a variable that is empty is not set. */
export function readPlace (env: Variables = process.env): Place {
  const read = (name: keyof Place): string | undefined => env[placeVariables[name]] || undefined
  return { advertise: read('advertise'), podName: read('podName'), podNamespace: read('podNamespace'), nodeName: read('nodeName') }
}

/** Whether the environment says where state logs go: itself, or beside the socket that it names. */
export function isStatePlaceGiven (env: Variables = process.env): boolean {
  return Boolean(env[variables.statePath] ?? '') || Boolean(env[variables.socketPath] ?? '')
}

/** The user's own folder in memory, of the XDG Base Directory Specification: one or none. */
export function readRuntimeFolder (env: Variables = process.env): readonly string[] {
  const folder = env['XDG_RUNTIME_DIR'] ?? ''
  return folder.startsWith('/') ? [folder] : []
}

/** The environment of a child process: our own, with some variables set. */
export function environmentWith (changes: Partial<Environment>, env: Variables = process.env): Record<string, string | undefined> {
  const child: Record<string, string | undefined> = { ...env }
  for (const name of Object.keys(changes) as Array<keyof Environment>) child[variables[name]] = changes[name]
  return child
}

// Beside the socket unless it is said where, so that the same directory serves both.
function statePathFrom (text: string, socketPath: string): string | undefined {
  if (text === NO_STATE) return undefined
  return text === '' ? `${socketPath.replace(/\.sock$/, '')}.state` : text
}

function logLevelFrom (text: string): LogLevel | undefined {
  return text === '' ? environmentDefaults.logLevel : logLevels.find(level => level === text)
}

function logLevelFault (text: string): string {
  return `must be one of ${logLevels.join(', ')}; not ${quote(text)}.${didYouMean(text, logLevels)}`
}
