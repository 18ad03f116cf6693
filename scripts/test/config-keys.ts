// Every key of the configuration, by itself and behind the key it is in: `limits.maxSessions` and `maxSessions`.
import { ConfigSchema } from '#config/schema.js'

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
}

function keysOf ({ properties = {}, items }: Schema, parent: string): string[] {
  const own = Object.entries(properties).flatMap(([key, schema]) => [key, ...parent === '' ? [] : [`${parent}.${key}`], ...keysOf(schema, key)])
  return items === undefined ? own : [...own, ...keysOf(items, parent)]
}

export const configKeys: ReadonlySet<string> = new Set(keysOf(ConfigSchema as Schema, ''))
