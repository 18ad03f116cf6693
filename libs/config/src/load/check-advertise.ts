// What `advertise` may say: one place where the address comes from, ports that there are, and a URL.
import { addressFault, filledUrl, withPodName } from '../advertised.js'
import { quote, type PlacedFault } from '../fault.js'
import { didYouMean } from '../nearest.js'
import type { Config } from '../schema.js'

const sources = ['address', 'service', 'node'] as const

/** That none of the sources is given is for control to say: the environment may have the address. */
export function checkAdvertise ({ advertise, dataPorts }: Pick<Config, 'advertise' | 'dataPorts'>): PlacedFault[] {
  if (advertise === undefined) return []
  const { address, queryUrl } = advertise
  const given = sources.filter(source => advertise[source] !== undefined)
  return [
    ...(given.length > 1 ? [{ at: ['advertise'], message: `says more than once what the address is: keep one of ${given.join(', ')}.` }] : []),
    ...faultAt('address', address === undefined ? undefined : addressFault(withPodName(address, 'pod'))),
    ...checkPorts(advertise.ports ?? {}, dataPorts.map(({ name }) => name)),
    ...faultAt('queryUrl', queryUrl === undefined ? undefined : urlFault(queryUrl))
  ]
}

function faultAt (key: string, message: string | undefined): PlacedFault[] {
  return message === undefined ? [] : [{ at: ['advertise', key], message }]
}

function checkPorts (ports: Readonly<Record<string, number>>, names: readonly string[]): PlacedFault[] {
  const unknown = Object.keys(ports).filter(name => !names.includes(name))
  const entries = Object.entries(ports)
  const doubled = entries.filter(([, port], index) => entries.findIndex(entry => entry[1] === port) < index)
  return [
    ...unknown.map(name => ({ at: ['advertise', 'ports', name], message: `names no data port: there is ${names.join(', ')}.${didYouMean(name, names)}` })),
    ...doubled.map(([name, port]) => ({ at: ['advertise', 'ports', name], message: `is ${port} like another one: clients could not tell the data ports apart.` }))
  ]
}

function urlFault (url: string): string | undefined {
  const filled = filledUrl(url, { podName: 'pod', address: '192.0.2.1' })
  const isUsable = URL.canParse(filled) && /^https?:\/\//.test(filled)
  return isUsable ? undefined : `must be a URL with http:// or https://, not ${quote(url)}.`
}
