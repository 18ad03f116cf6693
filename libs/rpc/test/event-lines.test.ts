import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { eventFromLine } from '#rpc/event-lines.js'
import { LineSplitter } from '#rpc/line-splitter.js'

function linesOf (text: string, cuts: readonly number[], maxBytes = 1000): { lines: string[], isOk: boolean } {
  const bytes = Buffer.from(text)
  const lines: string[] = []
  const splitter = new LineSplitter(maxBytes, line => { lines.push(line) })
  const edges = [0, ...[...cuts].map(cut => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
  const isOk = edges.slice(1).every((edge, at) => splitter.push(bytes.subarray(edges[at], edge)).ok)
  return { lines, isOk }
}

void t.test('lines are the same however the stream is cut, inside a character too', async t => {
  const line = fc.string({ unit: 'grapheme', maxLength: 20 }).map(text => 'x' + text.replaceAll('\n', ' '))
  fc.assert(fc.property(fc.array(line, { maxLength: 10 }), fc.array(fc.nat(300)), (lines, cuts) => {
    const read = linesOf(lines.map(text => `${text}\n`).join(''), cuts)
    return read.isOk && isDeepStrictEqual(read.lines, lines)
  }), { numRuns: 200 })
  t.pass()
})

void t.test('an unfinished line waits, an empty one is nothing', async t => {
  t.strictSame(linesOf('a\n\n \nb', [2]).lines, ['a'])
})

void t.test('a line longer than the bound ends the reading, complete or not', async t => {
  t.strictSame(linesOf('12345\n', [], 5), { lines: ['12345'], isOk: true })
  t.equal(linesOf('123456\n', [], 5).isOk, false)
  t.equal(linesOf('ok\n123456', [4, 6], 5).isOk, false)
})

void t.test('a line is an event of the contract or a bad line', async t => {
  t.strictSame(eventFromLine('{"type":"counts","sessions":{"a":1}}'), { ok: true, value: { type: 'counts', sessions: { a: 1 } } })
  for (const bad of ['{', '1', 'null', '{}', '{"type":"counts"}', '{"type":"counts","sessions":{"a":-1}}', '{"type":"hello","instanceId":"i","more":1}']) {
    t.strictSame(eventFromLine(bad), { ok: false, error: 'BAD_LINE' }, bad)
  }
})
