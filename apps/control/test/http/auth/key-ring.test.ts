import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import t from 'tap'
import { keyRingFrom, KeyRing } from '../../../src/http/auth/key-ring.js'

const [first, second, third] = ['first-key-0123456789', 'second/key+0123456==', 'third.key~0123456789'] as const

function ringOf (text: string): KeyRing {
  const ring = keyRingFrom(text)
  if (!ring.ok) throw new Error(ring.error)
  return ring.value
}

void t.test('a file has a key on a line, with or without a name', t => {
  const ring = ringOf(`# for the matchmaker\nmatchmaker: ${first}\n\n  ops:${second}  \r\n${third}\n`)
  t.equal(ring.size, 3)
  t.strictSame([first, second, third].map(key => ring.nameOf(key)), ['matchmaker', 'ops', 'key-3'])
  for (const other of ['', first.slice(1), `${first}x`, first.toUpperCase(), `matchmaker: ${first}`]) t.equal(ring.nameOf(other), undefined, other)
  const both = ringOf(`a: ${first}\na: ${second}`)
  t.strictSame([both.nameOf(first), both.nameOf(second)], ['a', 'a'], 'an old and a new key of one name')
  t.end()
})

void t.test('what is not such a file is told by line, never by content', t => {
  const cases: ReadonlyArray<readonly [text: string, fault: string]> = [
    ['', 'it has no keys'],
    ['\n# nothing\n', 'it has no keys'],
    [`${first}\nshort`, 'line 2 has a key of less than 16 characters'],
    ['k'.repeat(513), 'line 1 has a key of more than 512 characters'],
    [`${first}\n\na: ${first}`, 'line 3 repeats a key'],
    [`two words ${first}`, 'line 1 is not a key'],
    [`a: b: ${first}`, 'line 1 is not a key'],
    ['matchmaker:', 'line 1 is not a key'],
    ['\u0000\u0001', 'line 1 is not a key'],
    [Array.from({ length: 257 }, (_, at) => `key-0123456789-${at}`).join('\n'), 'it has more than 256 keys']
  ]
  for (const [text, fault] of cases) t.strictSame(keyRingFrom(text), { ok: false, error: fault }, text.slice(0, 40))
  t.equal(ringOf(Array.from({ length: 256 }, (_, at) => `key-0123456789-${at}`).join('\n')).size, 256)
  t.end()
})

void t.test('a comparison takes every key, with digests of one length that another process would not make', t => {
  const compared: Array<readonly [Buffer, Buffer]> = []
  const { timingSafeEqual } = crypto
  crypto.timingSafeEqual = (left, right) => {
    compared.push([left as Buffer, right as Buffer])
    return timingSafeEqual(left, right)
  }
  syncBuiltinESMExports()
  t.teardown(() => {
    crypto.timingSafeEqual = timingSafeEqual
    syncBuiltinESMExports()
  })
  const keys = [first, second, third].map(key => ({ name: key, key }))
  const ring = new KeyRing(keys)
  for (const key of [first, third, 'x', 'y'.repeat(10_000)]) {
    compared.length = 0
    ring.nameOf(key)
    t.equal(compared.length, 3, 'no early end')
    for (const sides of compared) for (const side of sides) t.equal(side.length, 32)
  }
  const digestOf = (of: KeyRing): string => {
    compared.length = 0
    of.nameOf(first)
    return compared[0]![1].toString('hex')
  }
  t.equal(digestOf(ring), digestOf(ring))
  t.not(digestOf(ring), digestOf(new KeyRing(keys)), 'each ring has a secret of its own')
  t.end()
})
