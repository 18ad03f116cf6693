// IP addresses as four 32-bit words, so that the packet path compares and hashes numbers and never strings.
//
//   IPv6  2001:db8::1   words  20010db8 00000000 00000000 00000001
//   IPv4  192.0.2.7     words  00000000 00000000 0000ffff c0000207   (IPv4-mapped, RFC 4291 §2.5.5.2)
//
// The mapped form is what a dual-stack socket reports for an IPv4 peer, so one client has one key whichever
// family the listener uses.

/** Length of an address, in 32-bit words. */
export const ADDRESS_WORDS = 4

const MAPPED_MARK = 0xffff

/** True if `words[offset..]` hold an IPv4 address. */
export function isIPv4Words (words: ArrayLike<number>, offset = 0): boolean {
  return words[offset] === 0 && words[offset + 1] === 0 && (words[offset + 2]! >>> 0) === MAPPED_MARK
}

// Reads dotted decimal from `start` to the end; -1 if it is not four numbers of 0–255 without superfluous zeros.
function ipv4FromText (text: string, start: number): number {
  let value = 0
  let octet = -1
  let dots = 0
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x2e) {
      if (octet < 0 || ++dots > 3) return -1
      value = value * 256 + octet
      octet = -1
    } else if (code >= 0x30 && code <= 0x39 && octet !== 0) {
      octet = (octet < 0 ? 0 : octet * 10) + code - 0x30
      if (octet > 255) return -1
    } else return -1
  }
  return dots === 3 && octet >= 0 ? value * 256 + octet : -1
}

function hextetFromText (text: string): number {
  return /^[0-9a-f]{1,4}$/i.test(text) ? Number.parseInt(text, 16) : -1
}

// Eight hextets, or fewer around one `::`, optionally ending in dotted decimal (RFC 4291 §2.2).
function writeIPv6 (text: string, words: Uint32Array, offset: number): boolean {
  const halves = text.split('::')
  if (halves.length > 2) return false
  const groups: number[][] = []
  for (const half of halves) {
    const numbers: number[] = []
    const parts = half === '' ? [] : half.split(':')
    for (const [index, part] of parts.entries()) {
      const isLast = index === parts.length - 1 && half === halves.at(-1)
      if (isLast && part.includes('.')) {
        const ipv4 = ipv4FromText(part, 0)
        if (ipv4 < 0) return false
        numbers.push(ipv4 >>> 16, ipv4 & 0xffff)
      } else numbers.push(hextetFromText(part))
    }
    groups.push(numbers)
  }
  const head = groups[0]!
  const tail = groups[1]
  const gap = 8 - head.length - (tail?.length ?? 0)
  if (tail === undefined ? gap !== 0 : gap < 1) return false
  const hextets = tail === undefined ? head : [...head, ...Array<number>(gap).fill(0), ...tail]
  if (hextets.includes(-1)) return false
  for (let word = 0; word < ADDRESS_WORDS; word++) {
    words[offset + word] = hextets[word * 2]! << 16 | hextets[word * 2 + 1]!
  }
  return true
}

/**
 * Parses an IPv4 or IPv6 address to `words[offset..offset + 3]`. Zones (`%eth0`), brackets, ports and host names
 * are refused: false, with `words` undefined. The two forms a socket reports for IPv4 allocate nothing.
 */
export function writeAddress (text: string, words: Uint32Array, offset = 0): boolean {
  const mapped = text.startsWith('::ffff:') && text.includes('.')
  if (mapped || !text.includes(':')) {
    const ipv4 = ipv4FromText(text, mapped ? 7 : 0)
    if (ipv4 < 0) return false
    words[offset] = 0
    words[offset + 1] = 0
    words[offset + 2] = MAPPED_MARK
    words[offset + 3] = ipv4
    return true
  }
  return writeIPv6(text, words, offset)
}

/** The words of an address, or undefined if `text` is not one. */
export function addressWords (text: string): Uint32Array | undefined {
  const words = new Uint32Array(ADDRESS_WORDS)
  return writeAddress(text, words) ? words : undefined
}

/** The canonical text (RFC 5952) of the address in `words[offset..]`; dotted decimal for IPv4. */
export function formatAddress (words: ArrayLike<number>, offset = 0): string {
  if (isIPv4Words(words, offset)) {
    const ipv4 = words[offset + 3]!
    return `${ipv4 >>> 24}.${ipv4 >>> 16 & 255}.${ipv4 >>> 8 & 255}.${ipv4 & 255}`
  }
  const hextets = Array.from({ length: 8 }, (_, at) => words[offset + (at >> 1)]! >>> (at % 2 === 0 ? 16 : 0) & 0xffff)
  const { start, length } = longestZeros(hextets)
  const text = (part: number[]): string => part.map(hextet => hextet.toString(16)).join(':')
  if (length < 2) return text(hextets)
  return `${text(hextets.slice(0, start))}::${text(hextets.slice(start + length))}`
}

function longestZeros (hextets: number[]): { start: number, length: number } {
  let best = { start: 0, length: 0 }
  for (let start = 0; start < 8; start++) {
    let length = 0
    while (start + length < 8 && hextets[start + length] === 0) length++
    if (length > best.length) best = { start, length }
  }
  return best
}

/** `address:port`, with brackets around IPv6 (RFC 3986 §3.2.2). */
export function formatEndpoint (address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
