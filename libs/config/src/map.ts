// A map of a document whose values nobody has looked at yet.

export type UnknownMap = Record<string, unknown>

/** Whether `value` is a map of a YAML document: an object, not a list and not null. */
export function isMap (value: unknown): value is UnknownMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
