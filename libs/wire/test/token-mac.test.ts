import { randomUUID } from 'node:crypto'
import t from 'tap'
import { isMarked, markToken, tokenKeyFrom } from '#wire/token-mac.js'
import { isToken, tokenFromWords, TOKEN_WORDS, writeTokenWords, type Token } from '#wire/token.js'

const key = tokenKeyFrom('000102030405060708090a0b0c0d0e0f')

function randomWords (): Uint32Array {
  const words = new Uint32Array(TOKEN_WORDS)
  writeTokenWords(randomUUID() as string as Token, words)
  return words
}

void t.test('the mark of a token is SipHash-2-4 of the first three words, cut to 32 bits', t => {
  // Vector 12 of the reference implementation: bytes 00 to 0b give fb e5 0e 86 bc 8f 1e 75.
  const words = new Uint32Array([0x03020100, 0x07060504, 0x0b0a0908, 0])
  markToken(words, key)
  t.equal(words[3], 0x860ee5fb)
  t.end()
})

void t.test('the mark of a token leaves a token a UUID of version 4, and its other words as they are', t => {
  const words = randomWords()
  const before = [...words.subarray(0, 3)]
  markToken(words, key)
  t.equal(isToken(tokenFromWords(words)), true)
  t.equal([...words.subarray(0, 3)].join(), before.join())
  t.end()
})

void t.test('the mark of a token is found by its own key alone', t => {
  const other = tokenKeyFrom('000102030405060708090a0b0c0d0e10')
  for (let turn = 0; turn < 1000; turn++) {
    const words = randomWords()
    markToken(words, key)
    t.equal(isMarked(words, key), true)
    t.equal(isMarked(words, other), false)
  }
  t.end()
})

void t.test('the mark of a token is not that of a random token, nor of one with any bit changed', t => {
  let accepted = 0
  for (let turn = 0; turn < 100_000; turn++) if (isMarked(randomWords(), key)) accepted++
  t.equal(accepted, 0)
  const words = randomWords()
  markToken(words, key)
  for (let bit = 0; bit < TOKEN_WORDS * 32; bit++) {
    const changed = Uint32Array.from(words)
    changed[bit >>> 5]! ^= 1 << (bit & 31)
    t.equal(isMarked(changed, key), false)
  }
  t.end()
})
