// What control and proxy do first, alike: the environment, then the configuration it names.
import { err, ok, type Result } from '#core/result.js'
import { readEnvironment, type Environment } from '../env.js'
import { formatFaults } from '../fault.js'
import type { Config } from '../schema.js'
import { loadConfig } from './load-config.js'

export interface StartUp {
  readonly environment: Environment
  readonly config: Config
}

/** Reads the environment and the configuration file, or gives the text that says everything that is wrong with them. */
export function readStartUp (): Result<StartUp, string> {
  const environment = readEnvironment()
  if (!environment.ok) return err(formatFaults('The environment', environment.error))
  const { configPath } = environment.value
  const loaded = loadConfig(configPath)
  if (!loaded.ok) return err(formatFaults(configPath, loaded.error))
  return ok({ environment: environment.value, config: loaded.value.config })
}
