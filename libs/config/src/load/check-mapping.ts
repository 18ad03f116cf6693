// Resource mappings: each has exactly one complete form, its JSONPaths parse, its ports serve data ports that exist.
import { compilePath } from '#jsonpath/compile-path.js'
import type { PlacedFault } from '../fault.js'
import { didYouMean } from '../nearest.js'
import type { ResourceMapping } from '../schema.js'

const serviceKeys = ['serviceSelectorLabel', 'serviceTargetPortName'] as const
const portKeys = ['portName', 'portPath', 'ports'] as const
const directKeys = ['addressPath', 'addressType', ...portKeys] as const

type MappingKey = typeof serviceKeys[number] | typeof directKeys[number]

/** Faults of one mapping, with places relative to it. `dataPorts` are the names of those configured, if they are sound. */
export function checkMapping (mapping: ResourceMapping, dataPorts: readonly string[] | undefined): PlacedFault[] {
  return [...checkForm(mapping), ...checkPaths(mapping), ...checkPorts(mapping, dataPorts)]
}

function checkForm (mapping: ResourceMapping): PlacedFault[] {
  const given = (keys: readonly MappingKey[]): MappingKey[] => keys.filter(key => mapping[key] !== undefined)
  const direct = given(directKeys)
  const service = given(serviceKeys)
  if (direct.length > 0 && service.length > 0) {
    return [{ at: [], message: `mixes two forms: keep either ${direct.join(', ')} or ${service.join(', ')}.` }]
  }
  if (service.length > 0) {
    return serviceKeys.filter(key => mapping[key] === undefined).map(key => ({ at: [key], message: `is required beside ${service.join(', ')}.` }))
  }
  if (direct.length === 0) {
    return [{ at: [], message: 'does not say where its objects are reached: give addressPath with portName, portPath or ports, or serviceSelectorLabel with serviceTargetPortName.' }]
  }
  return checkDirectForm(mapping, given(portKeys))
}

function checkDirectForm (mapping: ResourceMapping, ports: readonly string[]): PlacedFault[] {
  const faults: PlacedFault[] = []
  if (mapping.addressPath === undefined) faults.push({ at: ['addressPath'], message: 'is required: it says where the address is.' })
  if (ports.length === 0) faults.push({ at: [], message: 'does not say where the port is: give portName, portPath or ports.' })
  if (ports.length > 1) faults.push({ at: [], message: `says twice where the port is: keep one of ${ports.join(', ')}.` })
  return faults
}

function checkPaths ({ addressPath, portPath, ports = [], indexPaths = [] }: ResourceMapping): PlacedFault[] {
  return [
    ...checkPath(['addressPath'], addressPath),
    ...checkPath(['portPath'], portPath),
    ...ports.flatMap((port, index) => checkPath(['ports', index, 'portPath'], port.portPath)),
    ...indexPaths.flatMap((path, index) => checkPath(['indexPaths', index], path))
  ]
}

/** The fault of a JSONPath that does not parse. */
export function checkPath (at: PlacedFault['at'], text: string | undefined): PlacedFault[] {
  const compiled = text === undefined ? undefined : compilePath(text)
  if (compiled === undefined || compiled.ok) return []
  return [{ at, message: `is not a JSONPath: ${compiled.error.message}, at position ${compiled.error.position}.` }]
}

function checkPorts ({ ports = [] }: ResourceMapping, dataPorts: readonly string[] | undefined): PlacedFault[] {
  const seen = new Set<string>()
  return ports.flatMap(({ name, portName, portPath }, index) => {
    const faults: PlacedFault[] = []
    if (dataPorts?.includes(name) === false) {
      faults.push({ at: ['ports', index, 'name'], message: `names no data port: there is ${dataPorts.join(', ')}.${didYouMean(name, dataPorts)}` })
    }
    if (seen.has(name)) faults.push({ at: ['ports', index, 'name'], message: `is given twice: ${name} can lead to one port only.` })
    if ((portName === undefined) === (portPath === undefined)) {
      faults.push({ at: ['ports', index], message: 'needs exactly one of portName and portPath.' })
    }
    seen.add(name)
    return faults
  })
}
