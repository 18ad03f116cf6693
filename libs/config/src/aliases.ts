// The other spellings that exist in the wild, turned into ours before validation.
import { isDeepStrictEqual } from 'node:util'
import { type Place, type PlacedFault } from './fault.js'
import { isMap, type UnknownMap } from './map.js'

export interface Alias {
  readonly alias: string
  readonly key: string
  /** Our value from the alias's. */
  readonly convert: (value: unknown) => unknown
  /** Where in our value the alias's value stands. */
  readonly inner: Place
}

export const rootAliases: readonly Alias[] = [
  { alias: 'tokenTTLSeconds', key: 'tokenTtlSeconds', convert: value => value, inner: [] },
  { alias: 'dataPort', key: 'dataPorts', convert: port => [{ name: 'default', port, protocol: 'udp' }], inner: [0, 'port'] }
]

export const statusQueryAliases: readonly Alias[] = [
  { alias: 'expectedValue', key: 'expectedValues', convert: value => [value], inner: [0] }
]

export interface Normalized {
  /** A copy in our spelling. */
  readonly value: UnknownMap
  readonly faults: readonly PlacedFault[]
  /** From a place in `value` to what the author wrote there. */
  readonly placeAsWritten: (at: Place) => Place
}

interface Renaming {
  readonly ours: Place
  readonly written: Place
}

/** Turns every alias into our spelling. Both spellings at once are a fault, unless they say the same. */
export function applyAliases (raw: UnknownMap): Normalized {
  const faults: PlacedFault[] = []
  const renamings: Renaming[] = []

  const rename = (map: UnknownMap, aliases: readonly Alias[], at: Place): UnknownMap => {
    const renamed = new Map(Object.entries(map))
    for (const { alias, key, convert, inner } of aliases) {
      if (!Object.hasOwn(map, alias)) continue
      renamed.delete(alias)
      const converted = convert(map[alias])
      if (!Object.hasOwn(map, key)) {
        renamed.set(key, converted)
        renamings.push({ ours: [...at, key, ...inner], written: [...at, alias] })
      } else if (!isDeepStrictEqual(map[key], converted)) {
        faults.push({ at: [...at, alias], message: `contradicts ${key}: give one of the two.` })
      }
    }
    return Object.fromEntries(renamed)
  }

  const value = rename(raw, rootAliases, [])
  const endpoint = value['defaultEndpoint']
  if (isMap(endpoint) && isMap(endpoint['statusQuery'])) {
    const at = ['defaultEndpoint', 'statusQuery']
    value['defaultEndpoint'] = { ...endpoint, statusQuery: rename(endpoint['statusQuery'], statusQueryAliases, at) }
  }
  return { value, faults, placeAsWritten: at => placeAsWritten(at, renamings) }
}

function placeAsWritten (at: Place, renamings: readonly Renaming[]): Place {
  const renaming = renamings.find(({ ours }) => ours.every((step, index) => at[index] === step))
  return renaming === undefined ? at : [...renaming.written, ...at.slice(renaming.ours.length)]
}
