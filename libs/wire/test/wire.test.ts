import { isIPv4, isIPv6 } from 'node:net'
import { randomUUID } from 'node:crypto'
import t from 'tap'
import fc from 'fast-check'
import { addressWords, formatAddress, formatEndpoint, isIPv4Words, writeAddress } from '#wire/address.js'
import { controlPacket, magicFromHex } from '#wire/control-packet.js'
import { isToken, readToken, tokenFromWords, writeTokenWords, type Token } from '#wire/token.js'

void t.test('addresses: text, words and back', t => {
  const golden: [string, number[], string?][] = [
    ['192.0.2.7', [0, 0, 0xffff, 0xc0000207]],
    ['0.0.0.0', [0, 0, 0xffff, 0]],
    ['255.255.255.255', [0, 0, 0xffff, 0xffffffff]],
    ['::ffff:192.0.2.7', [0, 0, 0xffff, 0xc0000207], '192.0.2.7'],
    ['::FFFF:c000:207', [0, 0, 0xffff, 0xc0000207], '192.0.2.7'],
    ['::', [0, 0, 0, 0]],
    ['::1', [0, 0, 0, 1]],
    ['2001:db8::1', [0x20010db8, 0, 0, 1]],
    ['2001:DB8:0:0:0:0:0:1', [0x20010db8, 0, 0, 1], '2001:db8::1'],
    ['1:2:3:4:5:6:7:8', [0x00010002, 0x00030004, 0x00050006, 0x00070008]],
    ['1:0:0:4:0:0:0:8', [0x00010000, 4, 0, 8], '1:0:0:4::8'],
    ['1:0:3:4:5:6:7:8', [0x00010000, 0x00030004, 0x00050006, 0x00070008]],
    ['fe80::', [0xfe800000, 0, 0, 0]],
    ['64:ff9b::192.0.2.33', [0x0064ff9b, 0, 0, 0xc0000221], '64:ff9b::c000:221']
  ]
  for (const [text, words, canonical] of golden) {
    t.same([...addressWords(text)!], words, text)
    t.equal(formatAddress(words), canonical ?? text)
  }
  t.ok(isIPv4Words([9, 0, 0, 0xffff, 1], 1))
  t.notOk(isIPv4Words([0, 0, 1, 1]))
  t.equal(formatEndpoint('192.0.2.7', 80), '192.0.2.7:80')
  t.equal(formatEndpoint('::1', 80), '[::1]:80')
  t.end()
})

void t.test('what is not an address is refused', t => {
  for (const text of ['', ' ', '1', '1.2.3', '1.2.3.4.5', '1.2.3.256', '01.2.3.4', '1.2.3.4 ', '1..2.3', '.1.2.3', '1.2.3.', 'localhost', 'fe80::1%eth0', '[::1]', ':', ':::', '1::2::3', '12345::', 'g::', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7::8:9', '::ffff:1.2.3', '::1.2.3.4.5', '1.2.3.4::', ':1:2:3:4:5:6:7']) {
    t.equal(addressWords(text), undefined, JSON.stringify(text))
  }
  t.end()
})

void t.test('the parser agrees with the system\'s on any text', t => {
  const near = fc.array(fc.constantFrom('0', '1', 'f', '255', '256', ':', '::', '.', '::ffff:'), { maxLength: 14 }).map(parts => parts.join(''))
  fc.assert(fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), near, fc.string({ maxLength: 20 })), text => {
    const words = new Uint32Array(4)
    const isAddress = writeAddress(text, words)
    if (isAddress !== (isIPv4(text) || (isIPv6(text) && !text.includes('%')))) throw new Error(`${text} gives ${isAddress}`)
    return !isAddress || [...addressWords(formatAddress(words))!].join() === [...words].join()
  }), { numRuns: 5000 })
  t.pass('5000 texts')
  t.end()
})

void t.test('tokens: text, bytes, words and back', t => {
  const words = new Uint32Array(6)
  for (let round = 0; round < 200; round++) {
    const token = randomUUID() as string as Token
    if (!isToken(String(token))) t.fail('it is a token')
    writeTokenWords(token, words, 2)
    const read = new Uint32Array(4)
    if (!readToken(Buffer.from(`ab${token}`), 2, read)) t.fail(`${token} is read`)
    if (tokenFromWords(words, 2) !== token || tokenFromWords(read) !== token) t.fail(`${token} comes back`)
  }
  for (const text of ['', 'x', randomUUID().toUpperCase(), '00000000-0000-0000-0000-000000000000', '00000000-0000-4000-c000-000000000000', '00000000-0000-5000-8000-000000000000']) {
    t.notOk(isToken(text), JSON.stringify(text))
    t.notOk(readToken(Buffer.from(text), 0, words), JSON.stringify(text))
  }
  t.notOk(readToken(Buffer.from(randomUUID()), 1, words), 'too short from there')
  t.end()
})

void t.test('the magic: 1 to 32 bytes of hexadecimal', t => {
  t.same(magicFromHex('FFFFFFFF5245534554'), { ok: true, value: Uint8Array.of(255, 255, 255, 255, 82, 69, 83, 69, 84) })
  t.same(magicFromHex('deadBEEF'), { ok: true, value: Uint8Array.of(0xde, 0xad, 0xbe, 0xef) })
  t.same(magicFromHex(''), { ok: false, error: 'too_short' })
  t.same(magicFromHex('ABC'), { ok: false, error: 'odd_length' })
  t.same(magicFromHex('0x00'), { ok: false, error: 'not_hex' })
  t.same(magicFromHex('zz'), { ok: false, error: 'not_hex' })
  t.ok(magicFromHex('00'.repeat(32)).ok)
  t.same(magicFromHex('00'.repeat(33)), { ok: false, error: 'too_long' })
  const packet = controlPacket(Uint8Array.of(1, 2), '00000000-0000-4000-8000-000000000000' as Token)
  t.equal(Buffer.from(packet).toString('latin1'), '\x01\x0200000000-0000-4000-8000-000000000000')
  t.end()
})
