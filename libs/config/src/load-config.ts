// One YAML file in, a frozen configuration or every fault out. Nothing is half loaded.
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { err, ok, type Result } from '#core/result.js'
import { applyAliases } from './aliases.js'
import { crossCheck } from './checks.js'
import { pathFromPlace, quote, type ConfigFault } from './fault.js'
import { isMap } from './map.js'
import { readYaml } from './read-yaml.js'
import type { Config } from './schema.js'
import { validate } from './validate.js'

export interface LoadedConfig {
  /** The file it came from, absolute. */
  readonly file: string
  /** Complete and deeply frozen; paths of files in it are absolute. */
  readonly config: Config
}

/** Reads and checks `file`. Synchronous: it happens once, before anything else runs. */
export function loadConfig (file: string): Result<LoadedConfig, readonly ConfigFault[]> {
  let text
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    return err([{ path: 'the file', message: `cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}.` }])
  }
  return parseConfig(text, file)
}

/** Checks the text of a configuration; `file` is where relative paths in it start from. */
export function parseConfig (text: string, file: string): Result<LoadedConfig, readonly ConfigFault[]> {
  const raw = readYaml(text)
  if (!raw.ok) return raw
  if (!isMap(raw.value)) return err([{ path: 'the document', message: `must be a map of keys, not ${quote(raw.value)}.` }])
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
    adminAuth: resolved(config.adminAuth, ['keysFile', 'jwksFile'], folder)
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
