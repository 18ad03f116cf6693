// JSON values as they come out of a parser, before anything is known about them.

/** Keys and indices from the top of a document to the part in question. */
export type DocumentPath = ReadonlyArray<string | number>

export interface ShapeFault {
  readonly path: DocumentPath
  readonly message: string
}

export type Json = Readonly<Record<string, unknown>>

// Deeper than any real object (a CustomResourceDefinition has about 30 levels), and no danger to a stack.
const MAX_DEPTH = 100

export function isMap (value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

// Levels below a frozen value: aliases make deep values of shallow ones.
const heights = new WeakMap<object, number>()

/**
 * Freezes `value` with all it holds, or says which part of it is not JSON: YAML knows binary values, infinity, and
 * aliases to what they stand in. Also refuses what is nested too deep for recursion, and numbers that were rounded.
 */
export function freezeJson (value: unknown, above = new Set<unknown>()): ShapeFault | undefined {
  if (typeof value === 'number') return numberFault(value)
  if (typeof value !== 'object' || value === null) return undefined
  if (above.has(value)) return { path: [], message: 'an alias stands inside of what it refers to' }
  if (above.size + (heights.get(value) ?? 0) >= MAX_DEPTH) return { path: [], message: `nested deeper than ${MAX_DEPTH} levels` }
  if (heights.has(value)) return undefined
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return { path: [], message: 'binary values are not supported' }
  above.add(value)
  let height = 0
  for (const [key, part] of Object.entries(value)) {
    const fault = freezeJson(part, above)
    if (fault !== undefined) return { ...fault, path: [Array.isArray(value) ? Number(key) : key, ...fault.path] }
    if (typeof part === 'object' && part !== null) height = Math.max(height, 1 + (heights.get(part as object) ?? 0))
  }
  above.delete(value)
  heights.set(value, height)
  Object.freeze(value)
  return undefined
}

function numberFault (value: number): ShapeFault | undefined {
  if (!Number.isFinite(value)) return { path: [], message: 'a number is out of range' }
  if (!Number.isInteger(value) || Number.isSafeInteger(value)) return undefined
  return { path: [], message: 'a whole number is larger than 2^53 and would be rounded; put it in quotes' }
}
