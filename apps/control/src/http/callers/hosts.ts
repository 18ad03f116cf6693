// The names by which a listener may be called, and whose pages may call it. A web page can let its own name lead to any
// address (DNS rebinding); the browser then takes what answers there for a part of the page. It cannot do so with an
// address, nor with a name that nobody can register. Pure.
import { addressWords } from '#wire/address.js'

/** Names that lead to nowhere outside of the machine, the cluster or the site (RFC 6761 §6.3, ICANN resolution 2024.07.29.06, Kubernetes' DNS specification). */
const LOCAL_SUFFIXES = ['.localhost', '.svc', '.cluster.local', '.internal']

/** The host and port of a Host header (RFC 9110 §7.2), the name in lower case without a last dot. Undefined if it does not parse. */
export function hostFrom (text: string): { readonly name: string, readonly port: string } | undefined {
  const [, name = '', port = ''] = /^(\[[0-9a-fA-F:.]+(?:%25[\w.~-]+)?\]|[A-Za-z0-9_.-]+)(?::(\d{0,5}))?$/.exec(text) ?? []
  return name === '' ? undefined : { name: name.toLowerCase().replace(/\.$/, ''), port }
}

/** The host and port of a target in absolute form (RFC 9112 §3.2.2); undefined of a path. */
export function authorityOf (target: string): string | undefined {
  return /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(target)?.[1]
}

/** Whether a name is an address, or one that no page of somebody else can have. */
export function isLocalName (name: string): boolean {
  if (name.startsWith('[')) return addressWords(name.slice(1, -1).replace(/%.*$/, '')) !== undefined
  if (addressWords(name) !== undefined) return true
  // To a browser a number alone is an address (WHATWG URL §3.5); here it is not.
  return !name.includes('.') || LOCAL_SUFFIXES.some(suffix => name.endsWith(suffix))
}

/** Whether a name is one of a list, in which `*.example.com` is for all names below example.com. */
export function namesFrom (configured: readonly string[]): (name: string) => boolean {
  const names = new Set(configured.map(name => name.toLowerCase().replace(/\.$/, '')))
  const suffixes = [...names].filter(name => name.startsWith('*.')).map(name => name.slice(1))
  return name => names.has(name) || suffixes.some(suffix => name.endsWith(suffix))
}

const defaultPorts: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' }

/** Whether `origin` (RFC 6454 §7) is that of a page from `host` itself, by http or, with something before us that speaks TLS, by https. */
export function isSameOrigin (origin: string, host: { readonly name: string, readonly port: string }): boolean {
  if (!URL.canParse(origin)) return false
  const { protocol, hostname, port } = new URL(origin)
  const standard = defaultPorts[protocol]
  return standard !== undefined && hostname === host.name && (port === '' ? standard : port) === (host.port === '' ? standard : host.port)
}

/** The name in an origin; undefined if it has none, as `null` has not. */
export function originName (origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).hostname : undefined
}
