// A configuration of a test's own.
import { parseConfig } from '#config/load/load-config.js'
import type { Config } from '#config/schema.js'

/** What this YAML says, with the defaults of everything else. Throws what is wrong with it. */
export function configFrom (yaml: string): Config {
  const loaded = parseConfig(yaml, 'config.yaml')
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error))
  return loaded.value.config
}
