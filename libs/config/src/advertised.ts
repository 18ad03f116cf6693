// The texts in `advertise`: what stands for something else in them, and what is an address that clients can send to.
import { addressWords } from '#wire/address.js'
import { isUnicast } from '#wire/unicast.js'
import { quote } from './fault.js'

/** What `advertise` has a place for. */
export interface Fillings {
  readonly podName: string
  /** An IP address or a host name. */
  readonly address: string
}

/** `text` with the pod's name in the places of `$POD_NAME`. */
export function withPodName (text: string, podName: string): string {
  return text.replaceAll('$POD_NAME', podName)
}

/** Whether the pod's name is asked for. */
export function needsPodName (text: string): boolean {
  return text.includes('$POD_NAME')
}

/** `url` with all of its places filled; an IPv6 address gets its brackets (RFC 3986 §3.2.2). */
export function filledUrl (url: string, { podName, address }: Fillings): string {
  return withPodName(url, podName).replaceAll('$ADDRESS', address.includes(':') ? `[${address}]` : address)
}

// RFC 1123 §2.1; an underscore is not in it, but in many a zone. A last label without a letter would be half an IPv4 address.
const hostName = /^(?=.{1,253}$)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.)*(?=[^.]*[A-Za-z])[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/

/** Why nobody can send datagrams to `text`, as the rest of a sentence: "must be …". Undefined if they can. */
export function addressFault (text: string): string | undefined {
  const words = addressWords(text)
  if (words !== undefined) return isUnicast(words) ? undefined : `must be the address of one host, not ${quote(text)}.`
  return hostName.test(text) ? undefined : `must be an IP address or a host name, not ${quote(text)}.`
}
