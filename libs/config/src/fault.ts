// What is wrong with a configuration, as data: every fault at once, each with its place and one sentence.

export interface ConfigFault {
  /** Where: `resourceQueryMapping.gameserver.addressPath`, `line 3, column 5`, or an environment variable. */
  readonly path: string
  /** One sentence that continues the path: "must be …, not …." */
  readonly message: string
}

/** Keys and indices from the root of the document. */
export type Place = ReadonlyArray<string | number>

export interface PlacedFault {
  readonly at: Place
  readonly message: string
}

/** `['a', 'b.c', 0]` as people read it: `a["b.c"][0]`. */
export function pathFromPlace (at: Place): string {
  let path = ''
  for (const step of at) {
    if (typeof step === 'number') path += `[${step}]`
    else if (!/^[\w-]+$/.test(step)) path += `[${JSON.stringify(step)}]`
    else path += path === '' ? step : `.${step}`
  }
  return path
}

/** The whole list for a terminal or a log: how many there are, then a line each. */
export function formatFaults (file: string, faults: readonly ConfigFault[]): string {
  const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`
  return [`${file} has ${count}:`, ...faults.map(({ path, message }) => `  ${path}: ${message}`)].join('\n')
}

/** A value as it stands in a sentence: short, on one line. */
export function quote (value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'a map'
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > 60 ? `${text.slice(0, 56)} …` : text
}
