// Who a request came from when proxies brought it: the address nearest to us that is not one of theirs. Pure.
import { addressWords } from '#wire/address.js'
import { isUnicast } from '#wire/unicast.js'

/** The header that trusted proxies write; the other one is not believed, because they would hand on what a caller has put there. */
export const forwardedHeaders = ['x-forwarded-for', 'forwarded'] as const
export type ForwardedHeader = typeof forwardedHeaders[number]

/** Others in which a proxy may name its client. They are not read: that there is one tells that the request is somebody else's. */
export const otherHeaders = ['x-real-ip', 'x-client-ip', 'x-cluster-client-ip', 'x-envoy-external-address', 'x-azure-clientip', 'x-appengine-user-ip', 'cf-connecting-ip', 'true-client-ip', 'fastly-client-ip', 'fly-client-ip'] as const

/** Most proxies on the way of a request. */
export const MAX_PROXIES = 32

export type Words = ArrayLike<number>

/**
 * The caller behind `peer`, which is trusted, from the value of a header that lists nodes, the nearest last. `peer`
 * itself if there are none, and the first of the list if all are trusted. Undefined if the node that would be the
 * caller, or one between it and us, is not an address: somebody is behind it, and it is not the proxy that brought it.
 */
export function callerBehind (peer: Words, nodes: readonly string[], isTrusted: (words: Words) => boolean): Words | undefined {
  let caller = peer
  for (let at = nodes.length - 1; at >= 0; at--) {
    if (nodes.length - at > MAX_PROXIES) return undefined
    const words = nodeWords(nodes[at]!)
    if (words === undefined) return undefined
    caller = words
    if (!isTrusted(words)) return caller
  }
  return caller
}

/** The nodes that a header lists. Undefined if it does not parse. */
export function nodesOf (header: ForwardedHeader, value: string): readonly string[] | undefined {
  return header === 'forwarded' ? forwardedNodes(value) : forNodes(value)
}

// X-Forwarded-For has no specification: every proxy appends the address it got the request from, after a comma.
function forNodes (value: string): readonly string[] {
  // Empty elements are nothing (RFC 9110 §5.6.1.2).
  return value.split(',').map(node => unquoted(node.trim())).filter(node => node !== '')
}

// RFC 7239 §4: forwarded-pair *( ";" forwarded-pair ), after commas; a value is a token or a quoted string.
const PAIR = /[ \t]*([!#$%&'*+.^_`|~\w-]+)=(?:([!#$%&'*+.^_`|~\w-]+)|"((?:[^"\\]|\\.)*)")[ \t]*/y
const EMPTY = /[ \t]*/y

function forwardedNodes (value: string): readonly string[] | undefined {
  const nodes: string[] = []
  let node: string | undefined
  let hasPairs = false
  for (let at = 0; ;) {
    const pair = matchAt(PAIR, value, at)
    if (pair !== null) {
      const [text, name = '', token, quoted = ''] = pair
      at += text.length
      hasPairs = true
      if (name.toLowerCase() === 'for') {
        // Each parameter once (RFC 7239 §4).
        if (node !== undefined) return undefined
        node = token ?? quoted.replace(/\\(.)/g, '$1')
      }
    } else at += matchAt(EMPTY, value, at)?.[0].length ?? 0
    const next = value.charAt(at++)
    if (next === ';') continue
    if (next !== '' && next !== ',') return undefined
    // A proxy that says nothing of whom it got the request from.
    if (hasPairs) nodes.push(node ?? 'unknown')
    node = undefined
    hasPairs = false
    if (next === '') return nodes
  }
}

function matchAt (pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}

function unquoted (node: string): string {
  return node.length >= 2 && node.startsWith('"') && node.endsWith('"') ? node.slice(1, -1).trim() : node
}

const BRACKETED = /^\[([^\]]*)\](?::(?:\d{1,5}|_[\w.-]+))?$/
const IPV4_AND_PORT = /^([\d.]+):(?:\d{1,5}|_[\w.-]+)$/
const ZONE = /%[\w.%~-]+$/

/**
 * The address of a node as proxies write it: `192.0.2.1`, `192.0.2.1:4711` (Azure Application Gateway, IIS, AWS ALB if told
 * to), `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`, also with a zone. Undefined for `unknown`, names, what is hidden, and
 * an address that no host can have, such as `0.0.0.0`.
 */
export function nodeWords (node: string): Words | undefined {
  const bare = BRACKETED.exec(node)?.[1] ?? IPV4_AND_PORT.exec(node)?.[1] ?? node
  const words = addressWords(bare.includes(':') ? bare.replace(ZONE, '') : bare)
  return words !== undefined && isUnicast(words) ? words : undefined
}
