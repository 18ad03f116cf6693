// What `bindAddress` and `dataBindAddress` may say: addresses, each once, and none that another one covers.
import ipaddr from 'ipaddr.js'
import { addressWords } from '#wire/address.js'
import { ANY_ADDRESS, ANY_IPV4, listenAddresses } from '../bind-addresses.js'
import { quote, type PlacedFault } from '../fault.js'

/** @param isForData whether data ports are bound to it */
export function checkAddresses (key: string, given: string | readonly string[], isForData: boolean): PlacedFault[] {
  const texts = typeof given === 'string' ? [given] : given
  const all = listenAddresses({ bindAddress: [...texts] })
  return texts.flatMap((text, index) => {
    const sentence = sentenceAgainst(text, isForData) ?? sentenceAgainstPlace(all, index)
    return sentence === undefined ? [] : [{ at: typeof given === 'string' ? [key] : [key, index], message: sentence }]
  })
}

function sentenceAgainst (text: string, isForData: boolean): string | undefined {
  if (!ipaddr.IPv6.isValid(text) && !ipaddr.IPv4.isValidFourPartDecimal(text)) return `must be an IPv4 or IPv6 address, not ${quote(text)}.`
  return isForData && addressWords(text) === undefined ? `must be an address without a zone, not ${quote(text)}: data ports cannot have one.` : undefined
}

function sentenceAgainstPlace (all: readonly string[], index: number): string | undefined {
  const address = all[index]!
  if (all.indexOf(address) < index) return `is given twice: ${address}.`
  if (address === ANY_ADDRESS && all.length > 1) return `is every address already: ${ANY_ADDRESS} stands alone.`
  if (address === ANY_IPV4 && all.some(other => other !== ANY_IPV4 && other !== ANY_ADDRESS && !other.includes(':'))) return `is every IPv4 address already: no other one stands beside ${ANY_IPV4}.`
  return undefined
}
