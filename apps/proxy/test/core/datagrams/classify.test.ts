import { readFileSync } from 'node:fs'
import t from 'tap'
import fc from 'fast-check'
import { controlPacket, magicFromHex } from '#wire/control-packet.js'
import { isToken, tokenFromWords, type Token } from '#wire/token.js'
import { classify, PacketKind } from '../../../src/core/datagrams/classify.js'

interface Vector { description: string, magicHex: string, datagramHex: string, kind: string, token?: string }
const { vectors } = JSON.parse(readFileSync('docs/protocol-vectors.json', 'utf8')) as { vectors: Vector[] }

const kindNames: Record<PacketKind, string> = {
  [PacketKind.data]: 'data',
  [PacketKind.token]: 'token',
  [PacketKind.control]: 'control',
  [PacketKind.malformedControl]: 'malformed_control'
}

function magicOf (hex: string): Uint8Array {
  const result = magicFromHex(hex)
  if (!result.ok) throw new Error(result.error)
  return result.value
}

// In a buffer full of what could be mistaken for more of it: engines receive many datagrams into one.
function kindOf (bytes: Uint8Array, magic: Uint8Array, words: Uint32Array): string {
  const around = new Uint8Array(bytes.length + 80).fill(0x61)
  around.set(magic, 40 - magic.length)
  around.set(bytes, 40)
  around[40 + bytes.length] = 0x0a
  return kindNames[classify(around, 40, 40 + bytes.length, magic, words)]
}

void t.test('the published test vectors', t => {
  for (const { description, magicHex, datagramHex, kind, token } of vectors) {
    const words = new Uint32Array(4)
    t.equal(kindOf(Buffer.from(datagramHex, 'hex'), magicOf(magicHex), words), kind, description)
    if (token !== undefined) t.equal(tokenFromWords(words), token)
  }
  t.same(new Set(vectors.map(({ kind }) => kind)), new Set(Object.values(kindNames)), 'every kind has a vector')
  t.end()
})

// The same decision, made naively on text.
function naive (bytes: Uint8Array, magic: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1')
  const prefix = Buffer.from(magic).toString('latin1')
  const tokenIn = (rest: string): boolean => isToken(rest.replace(/\r?\n$/, ''))
  if (text.startsWith(prefix)) return tokenIn(text.slice(prefix.length)) ? 'control' : 'malformed_control'
  return tokenIn(text) ? 'token' : 'data'
}

void t.test('arbitrary bytes end in exactly one kind, the one a naive reading gives', t => {
  const magic = magicOf('FFFFFFFF5245534554')
  const nearly = fc.tuple(fc.uuid({ version: 4 }), fc.boolean(), fc.constantFrom('', '\n', '\r\n', '\r', 'x'), fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 2 }))
    .map(([token, isControl, tail, flips]) => {
      const bytes = Buffer.concat([isControl ? controlPacket(magic, token as Token) : Buffer.from(token), Buffer.from(tail)])
      for (const [at, value] of flips) if (at < bytes.length) bytes[at] = value
      return new Uint8Array(bytes)
    })
  fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), nearly), bytes => {
    const words = new Uint32Array(4)
    const kind = kindOf(bytes, magic, words)
    if (kind !== naive(bytes, magic)) throw new Error(`${kind} instead of ${naive(bytes, magic)}`)
    const start = kind === 'control' ? magic.length : 0
    return kind !== 'control' && kind !== 'token' ? true : tokenFromWords(words) === Buffer.from(bytes.subarray(start, start + 36)).toString()
  }), { numRuns: 5000 })
  t.pass('5000 datagrams')
  t.end()
})
