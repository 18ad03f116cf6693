// The few forms of ASN.1 DER that an X.509 certificate is made of (ITU-T X.690).

/** Tag, length, contents. */
export function tlv (tag: number, ...contents: readonly Buffer[]): Buffer {
  const body = Buffer.concat(contents)
  const length = body.length < 0x80
    ? [body.length]
    : body.length < 0x100 ? [0x81, body.length] : [0x82, body.length >> 8, body.length & 0xFF]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}

export const sequence = (...parts: readonly Buffer[]): Buffer => tlv(0x30, ...parts)
export const set = (...parts: readonly Buffer[]): Buffer => tlv(0x31, ...parts)
export const octets = (content: Buffer): Buffer => tlv(0x04, content)
export const bits = (content: Buffer, unused = 0): Buffer => tlv(0x03, Buffer.from([unused]), content)
export const text = (content: string): Buffer => tlv(0x0C, Buffer.from(content))
export const yes = tlv(0x01, Buffer.from([0xFF]))

/** A context-specific tag around other elements. */
export const explicit = (number: number, ...parts: readonly Buffer[]): Buffer => tlv(0xA0 | number, ...parts)

/** A context-specific tag in place of an element's own. */
export const implicit = (number: number, content: Buffer): Buffer => tlv(0x80 | number, content)

/** 0 to 2^31-1. */
export function integer (value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  let first = 0
  while (first < 3 && bytes[first] === 0 && bytes[first + 1]! < 0x80) first++
  return tlv(0x02, bytes.subarray(first))
}

/** @param dotted for example `2.5.29.17` */
export function oid (dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return tlv(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

/** UTCTime, to the second; certificates use it until 2049. */
export function time (epochMs: number): Buffer {
  return tlv(0x17, Buffer.from(new Date(epochMs).toISOString().slice(2).replace(/[-:T]|\.\d+/g, '')))
}

function base128 (value: number): number[] {
  const low = value & 0x7F
  return value < 0x80 ? [low] : [...base128(value >>> 7).map(byte => byte | 0x80), low]
}
