// Datagrams of clients: bytes as they travel, and beside them what the sender meant, which only the ledger may look at.
import { controlPacket, DEFAULT_MAGIC_HEX, magicFromHex } from '#wire/control-packet.js'
import type { Token } from '#wire/token.js'
import type { Address } from './address-book.js'

/** What the sender of a datagram meant it to be. */
export const Meaning = Object.freeze({ data: 0, token: 1, control: 2, malformed: 3, oversize: 4 } as const)
export type Meaning = typeof Meaning[keyof typeof Meaning]

export interface Datagram {
  /** The source it bears. */
  readonly source: Address
  readonly dataPort: number
  readonly meaning: Meaning
  readonly token: Token | undefined
  readonly bytes: Uint8Array
}

//  byte 0: mark    1: kind    2–3: number of the client address    4–7: serial, big-endian
const MARK = 0xda
const CARRIED = 1
const JUNK = 2

export const DATAGRAM_BYTES = 8
export const MAX_DATAGRAM_BYTES = 512

const magic = magicFromHex(DEFAULT_MAGIC_HEX)
if (!magic.ok) throw new Error(magic.error)
const magicBytes = magic.value

function carriedBytes (kind: number, number: number, serial: number, length = DATAGRAM_BYTES): Uint8Array {
  const bytes = new Uint8Array(length)
  bytes[0] = MARK
  bytes[1] = kind
  bytes[2] = number >>> 8
  bytes[3] = number
  bytes[4] = serial >>> 24
  bytes[5] = serial >>> 16
  bytes[6] = serial >>> 8
  bytes[7] = serial
  return bytes
}

/** Data that says whose it is. */
export function dataOf (source: Address, dataPort: number, serial: number): Datagram {
  return { source, dataPort, meaning: Meaning.data, token: undefined, bytes: carriedBytes(CARRIED, source.id, serial) }
}

export function oversizeOf (source: Address, dataPort: number, serial: number): Datagram {
  return { source, dataPort, meaning: Meaning.oversize, token: undefined, bytes: carriedBytes(CARRIED, source.id, serial, MAX_DATAGRAM_BYTES + 1) }
}

export function tokenOf (source: Address, dataPort: number, token: Token, ending: '' | '\n' | '\r\n'): Datagram {
  return { source, dataPort, meaning: Meaning.token, token, bytes: Buffer.from(token + ending, 'latin1') }
}

export function controlOf (source: Address, dataPort: number, token: Token): Datagram {
  return { source, dataPort, meaning: Meaning.control, token, bytes: controlPacket(magicBytes, token) }
}

/** The magic, and then `rest`, which is not a token. */
export function malformedOf (source: Address, dataPort: number, rest: Uint8Array): Datagram {
  return { source, dataPort, meaning: Meaning.malformed, token: undefined, bytes: Uint8Array.from([...magicBytes, ...rest]) }
}

/** What somebody sends who answers nobody. */
export function junkBytes (serial: number): Uint8Array {
  return carriedBytes(JUNK, 0xffff, serial)
}

/** Whose data this is: the number of the client address, or -1 if it is nobody's. */
export function ownerOf (bytes: Uint8Array): number {
  return bytes[0] === MARK && bytes[1] === CARRIED ? bytes[2]! << 8 | bytes[3]! : -1
}
