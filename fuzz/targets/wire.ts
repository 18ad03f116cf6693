// What a datagram or a configured text is read as: addresses, blocks, packets.
import { isIPv4, isIPv6 } from 'node:net'
import fc from 'fast-check'
import { addressBlock } from '#wire/address-block.js'
import { formatAddress, writeAddress } from '#wire/address.js'
import { isToken, tokenFromWords } from '#wire/token.js'
import { classify, PacketKind } from '../../apps/proxy/src/core/datagrams/classify.js'
import { fuzzTarget, must, type FuzzTarget } from '../fuzz-target.js'
import { magic } from '#testkit/lives/core-history.js'

const addressText = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string({ unit: 'binary', maxLength: 45 }),
  fc.array(fc.constantFrom('0', '1', 'f', '255', '256', ':', '::', '.', '::ffff:', '%', '/'), { maxLength: 14 }).map(parts => parts.join('')))

const isAddress = (text: string): boolean => isIPv4(text) || (isIPv6(text) && !text.includes('%'))

/** @param write what is tried */
export function addresses (write = writeAddress): FuzzTarget {
  return fuzzTarget({
    name: 'addresses',
    what: 'texts as addresses: as the system reads them, and canonical text comes back the same',
    inputs: addressText,
    corpus: ['::ffff:1.2.3.4', '::%1', '::1.2.3.4'],
    testRuns: 400,
    open: () => ({
      check: text => {
        const words = new Uint32Array(6).fill(7)
        const isRead = write(text, words, 1)
        must(isRead === isAddress(text), `${JSON.stringify(text)} is ${isRead ? 'an' : 'no'} address`)
        must(words[0] === 7 && words[5] === 7, 'words beside the address were written')
        if (!isRead) return
        const again = new Uint32Array(4)
        must(write(formatAddress(words, 1), again) && again.every((word, at) => word === words[at + 1]), `${text} does not come back from ${formatAddress(words, 1)}`)
      }
    })
  })
}

/** @param block what is tried */
export function addressBlocks (block = addressBlock): FuzzTarget {
  return fuzzTarget({
    name: 'address-blocks',
    what: 'texts as CIDR blocks: refused, or holding the addresses that share its bits and no other',
    inputs: fc.record({ address: addressText, suffix: fc.oneof(fc.nat(140).map(bits => `/${bits}`), fc.constantFrom('', '/', '/-1', '/08', '/1/2')), bit: fc.nat(127) }),
    testRuns: 400,
    open: () => ({
      check: ({ address, suffix, bit }) => {
        const contains = block(address + suffix)
        const width = isIPv4(address) ? 32 : 128
        const bits = suffix === '' ? width : /^\/\d{1,3}$/.test(suffix) ? Number(suffix.slice(1)) : Infinity
        // A text with a slash of its own is another one.
        if (address.includes('/')) return
        must((contains !== undefined) === (isAddress(address) && bits <= width), `${address}${suffix} is ${contains === undefined ? 'no' : 'a'} block`)
        if (contains === undefined) return
        const words = new Uint32Array(4)
        writeAddress(address, words)
        must(contains(words), `${address} is not in ${address}${suffix}`)
        words[bit >> 5]! ^= 2 ** (31 - bit % 32)
        must(contains(words) === (bit >= bits + 128 - width), `bit ${bit} of ${address}${suffix}`)
      }
    })
  })
}

const nearlyPacket = fc.tuple(fc.boolean(), fc.uuid({ version: 4 }), fc.constantFrom('', '\n', '\r\n', '\r', 'x', '\n\n'), fc.array(fc.tuple(fc.nat(48), fc.nat(255)), { maxLength: 2 })).map(([isControl, token, tail, flips]) => {
  const bytes = Buffer.concat([isControl ? magic : Buffer.of(), Buffer.from(token + tail)])
  for (const [at, value] of flips) if (at < bytes.length) bytes[at] = value
  return new Uint8Array(bytes)
})

/** @param judge what is tried */
export function packetKinds (judge = classify): FuzzTarget {
  return fuzzTarget({
    name: 'packet-kinds',
    what: 'bytes as packets: exactly one kind, the one a naive reading of the text gives',
    inputs: fc.oneof(fc.uint8Array({ maxLength: 60 }), nearlyPacket),
    testRuns: 400,
    open: () => ({
      check: bytes => {
        // In a buffer full of what could be mistaken for more of it: engines receive many datagrams into one.
        const around = new Uint8Array(bytes.length + 80).fill(0x61)
        around.set(magic, 40 - magic.length)
        around.set(bytes, 40)
        around[40 + bytes.length] = 0x0a
        const words = new Uint32Array(4)
        const kind = judge(around, 40, 40 + bytes.length, magic, words)
        const { expected, token } = naiveKind(bytes)
        must(kind === expected, `kind ${kind} instead of ${expected}`)
        if (kind === PacketKind.token || kind === PacketKind.control) must(tokenFromWords(words) === token, `token ${tokenFromWords(words)} instead of ${token}`)
      }
    })
  })
}

function naiveKind (bytes: Uint8Array): { expected: PacketKind, token: string } {
  const text = Buffer.from(bytes).toString('latin1')
  const prefix = Buffer.from(magic).toString('latin1')
  const isControl = text.startsWith(prefix)
  const token = (isControl ? text.slice(prefix.length) : text).replace(/\r?\n$/, '')
  if (isControl) return { expected: isToken(token) ? PacketKind.control : PacketKind.malformedControl, token }
  return { expected: isToken(token) ? PacketKind.token : PacketKind.data, token }
}
