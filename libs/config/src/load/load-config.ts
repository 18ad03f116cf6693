// One YAML file in, a frozen configuration or every fault out. Nothing is half loaded.
import { dirname, resolve } from 'node:path'
import { err, ok, type Result } from '#core/result.js'
import { applyAliases, rootAliases } from '../aliases.js'
import { pathFromPlace, quote, type ConfigFault } from '../fault.js'
import { isMap } from '../map.js'
import { readTextFile } from '../read-text-file.js'
import { ConfigSchema, type Config } from '../schema.js'
import { crossCheck } from './checks.js'
import { otherDocument } from './other-document.js'
import { readYaml } from './read-yaml.js'
import { validate } from './validate.js'

export interface LoadedConfig {
  /** The file it came from, absolute. */
  readonly file: string
  /** Complete and deeply frozen; paths of files in it are absolute. */
  readonly config: Config
}

/** Longest configuration that is read, in bytes: no real one has a tenth of it. */
export const MAX_CONFIG_BYTES = 1024 * 1024

/** Reads and checks `file`. Synchronous: it happens once, before anything else runs. */
export function loadConfig (file: string): Result<LoadedConfig, readonly ConfigFault[]> {
  const text = readTextFile(file, 'configuration', MAX_CONFIG_BYTES)
  return text.ok ? parseConfig(text.value, file) : err([{ path: 'the file', message: `${text.error}.` }])
}

const rootKeys: ReadonlySet<string> = new Set([...Object.keys(ConfigSchema.properties), ...rootAliases.map(({ alias }) => alias)])

/** Checks the text of a configuration; `file` is where relative paths in it start from. */
export function parseConfig (text: string, file: string): Result<LoadedConfig, readonly ConfigFault[]> {
  const raw = readYaml(text)
  if (!raw.ok) return raw
  if (!isMap(raw.value)) return err([{ path: 'the document', message: `must be a map of keys, not ${quote(raw.value)}.` }])
  const other = otherDocument(raw.value, rootKeys)
  if (other !== undefined) return err([other])
  const normalized = applyAliases(raw.value)
  const { value, faults: schemaFaults } = validate(normalized.value)
  // From here `value` is a Config but for the places in `schemaFaults`, which the checks steer round.
  const config = value as Config
  const faults = [...normalized.faults, ...schemaFaults, ...crossCheck(config, schemaFaults)]
  if (faults.length > 0) return err(faults.map(({ at, message }) => ({ path: pathFromPlace(normalized.placeAsWritten(at)), message })))
  const absolute = resolve(file)
  return ok({ file: absolute, config: deepFreeze(withAbsolutePaths(config, dirname(absolute))) })
}

function withAbsolutePaths (config: Config, folder: string): Config {
  return {
    ...config,
    inventory: resolved(config.inventory, ['path', 'kubeconfig'], folder),
    queryAuth: resolved(config.queryAuth, ['keysFile', 'jwksFile'], folder),
    adminAuth: resolved(config.adminAuth, ['keysFile', 'jwksFile'], folder),
    ...(config.sharedState !== undefined && { sharedState: resolved(config.sharedState, ['passwordFile', 'sentinelPasswordFile', 'caFile', 'certFile', 'keyFile'], folder) })
  }
}

function resolved<Part extends object> (part: Part, keys: ReadonlyArray<keyof Part & string>, folder: string): Part {
  const given = keys.filter(key => part[key] !== undefined)
  return { ...part, ...Object.fromEntries(given.map(key => [key, resolve(folder, String(part[key]))])) }
}

function deepFreeze<Value> (value: Value): Value {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) deepFreeze(part)
    Object.freeze(value)
  }
  return value
}
