// What other directors, or whoever else can write to it, put into the shared store: records near the sound ones and far from them.
import fc from 'fast-check'
import { bindingFrom, infoFrom, jsonOfBinding, jsonOfInfo, keysFrom, messageFrom, textOfMessage, textOfToken, tokenFrom } from '../../apps/control/src/store/records.js'
import { fuzzTarget, must, type FuzzTarget } from '../fuzz-target.js'

const NOW_MS = 1_700_000_000_000

const mostly = <Sound, Odd>(sound: fc.Arbitrary<Sound>, odd: fc.Arbitrary<Odd>): fc.Arbitrary<Sound | Odd> => fc.oneof({ weight: 12, arbitrary: sound }, { weight: 1, arbitrary: odd })
const odd = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom<unknown>('', 'x'.repeat(700), 1e300, -1, 0.5, null, '__proto__'))
const number = fc.oneof(fc.constantFrom('0', '5', '1700000005000', '9007199254740993', '-1', '1e3', ''), fc.nat().map(String))
const token = mostly(fc.constant('00000000-0000-4000-8000-000000000001'), odd)
const client = mostly(fc.constantFrom('192.0.2.1:1000', '[2001:db8::1]:1000'), odd)
const target = mostly(fc.record({
  key: mostly(fc.constant('gameserver/games/a'), odd),
  address: mostly(fc.constant('10.0.0.1'), odd),
  ports: mostly(fc.dictionary(fc.constantFrom('default', 'voice', '__proto__'), mostly(fc.integer({ min: 0, max: 65_537 }), odd), { maxKeys: 3 }), odd),
  more: fc.jsonValue({ maxDepth: 1 })
}, { requiredKeys: ['key', 'address', 'ports'] }), odd)
const name = mostly(fc.constantFrom('pod-a', 'pod b,%'), odd)

const v = fc.constantFrom<unknown>(1, 1, 1, 1, 2, '1', undefined)
const message = fc.oneof(
  fc.record({ type: fc.constant('redeemed'), token, dataPort: name, client }),
  fc.record({ type: fc.constant('elsewhere'), client, change: mostly(fc.constantFrom('moved', 'ended', 'seen'), odd), target, sequence: mostly(fc.nat(), odd) }, { requiredKeys: ['type', 'client', 'change'] }),
  fc.record({ type: fc.constant('void'), tokens: mostly(fc.array(token, { maxLength: 3 }), odd), cause: mostly(fc.constantFrom('revoked', 'withdrawn'), odd) }),
  fc.record({ type: fc.constant('counts'), replica: name, sessions: mostly(fc.dictionary(fc.string(), fc.integer()), odd), isAll: mostly(fc.boolean(), odd) }),
  fc.jsonValue())
const json = fc.oneof(
  { weight: 6, arbitrary: fc.record({ v, t: target, h: name, k: token, c: mostly(fc.array(name, { maxLength: 3 }), odd) }, { requiredKeys: ['v', 't'] }) },
  { weight: 6, arbitrary: fc.record({ v, f: name, m: message }) },
  { weight: 3, arbitrary: fc.record({ v, replica: name, version: name, sessions: mostly(fc.nat(), odd), sinceMs: mostly(fc.nat(), odd) }) },
  { weight: 1, arbitrary: fc.jsonValue() }).map(value => JSON.stringify(value))
const words = fc.array(fc.oneof(number, fc.constantFrom('-', 'pod-a', 'pod-a,pod%2C', '%', ',', 'a'.repeat(32))), { maxLength: 4 }).map(parts => parts.map(part => `${part} `).join(''))
const text = mostly(fc.tuple(mostly(fc.constantFrom('', '- ', '192.0.2.1 ', '5 0 - ', '5 1700000005000 pod-a,pod%2C '), words), fc.oneof({ weight: 9, arbitrary: json }, { weight: 1, arbitrary: fc.string() })).map(parts => parts.join('')), fc.string({ unit: 'binary' }))

/** @param readToken what is tried for tokens: a test has one that is too kind */
export function storeRecords (readToken = tokenFrom): FuzzTarget {
  return fuzzTarget({
    name: 'store-records',
    what: 'records and messages of a shared store: each is read, or newer, or unsound; what was read is the same when it is written and read again',
    inputs: text,
    testRuns: 300,
    open: () => ({
      check: text => {
        const token = readToken(text)
        if (token.ok) {
          sound(token.value.target)
          same(tokenFrom(textOfToken(token.value)), token)
        }
        const binding = bindingFrom(text, NOW_MS)
        if (binding.ok) {
          const { sequence, replicas, tokenTtlMs, ...rest } = binding.value
          sound(rest.target)
          must(Number.isSafeInteger(sequence) && (tokenTtlMs === undefined || tokenTtlMs > 0), `sequence ${sequence}, ttl ${String(tokenTtlMs)}`)
          same(bindingFrom(`${sequence} 0 - ${jsonOfBinding(rest)}`, NOW_MS), { ok: true, value: { ...rest, sequence, replicas: [] } })
        }
        const heard = messageFrom(text)
        if (heard.ok) same(messageFrom(textOfMessage(heard.value.from, heard.value.message)), heard)
        const info = infoFrom(text)
        if (info.ok) same(infoFrom(jsonOfInfo(info.value)), info)
        keysFrom(text, NOW_MS)
      }
    })
  })
}

function sound ({ key, address, ports }: { readonly key: string, readonly address: string, readonly ports: Readonly<Record<string, number>> }): void {
  must(key !== '' && address.length <= 45, `target ${key} at ${address}`)
  for (const port of Object.values(ports)) must(Number.isInteger(port) && port >= 1 && port <= 65_535, `port ${port}`)
}

function same (one: unknown, other: unknown): void {
  const [first, second] = [one, other].map(value => JSON.stringify(value, (_, part: unknown) => typeof part === 'object' && part !== null && !Array.isArray(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => a < b ? -1 : 1)) : part))
  must(first === second, `${String(first)} instead of ${String(second)}`)
}
