import t from 'tap'
import type { Binding } from '#rpc/replica-schemas.js'
import type { Token } from '#wire/token.js'
import type { SharedBinding } from '../../../src/store/shared-store.js'
import { isOwnNewer, isSameTarget, OUTLIVE_MS, sessionFrom, writeFrom } from '../../../src/replicas/sessions/bindings.js'

const target = { key: 'gameserver/games/x', address: '10.0.0.1', ports: { game: 7000, voice: 7001 } }
const [one, other] = ['0b9d3f0e-5c1a-4f8e-9b7d-2a6c4e8f1d35', '3e5d8a52-1f6b-4c0e-9a77-0c2f4b8d6e10'] as Token[] as [Token, Token]

void t.test('what is written is what another replica makes of it', t => {
  const binding: Binding = { client: '192.0.2.1:1', target, token: one, tokenTtlMs: 900, consumed: ['game'], idleMs: 1000 }
  const write = writeFrom(binding, 300_000)
  t.strictSame(write, { client: binding.client, binding: { target, token: one, tokenTtlMs: 900, consumed: ['game'] }, ttlMs: 299_000 + OUTLIVE_MS })
  t.strictSame(sessionFrom(binding.client, { ...write.binding, sequence: 1, replicas: ['a'] }), { ...binding, idleMs: 0 })
  t.strictSame(sessionFrom('192.0.2.1:1', { target, token: one, tokenTtlMs: 0, sequence: 1, replicas: [] }), { client: '192.0.2.1:1', target, token: one, idleMs: 0 }, 'a token that is over')
  t.equal(writeFrom({ client: '192.0.2.1:1', target, idleMs: 400_000 }, 300_000).ttlMs, OUTLIVE_MS)
  t.end()
})

void t.test('targets are the same if their key, address and ports are', t => {
  t.ok(isSameTarget(target, { ...target, ports: { voice: 7001, game: 7000 } }))
  for (const change of [{ key: 'y' }, { address: '10.0.0.2' }, { ports: { game: 7000 } }, { ports: { game: 7000, voice: 7002 } }, { ports: { game: 7000, video: 7001 } }, { ports: { ...target.ports, video: 7002 } }]) {
    t.notOk(isSameTarget(target, { ...target, ...change }))
  }
  t.end()
})

void t.test('which binding is newer, when nobody heard of the other', t => {
  const rows: ReadonlyArray<readonly [name: string, own: Partial<Binding>, stored: Partial<SharedBinding>, isOwnNewer: boolean]> = [
    ['the same token: an operator moved it', { token: one, tokenTtlMs: 10 }, { token: one }, false],
    ['no token here', {}, { token: one }, false],
    ['the token here lives longer', { token: one, tokenTtlMs: 10 }, { token: other, tokenTtlMs: 9 }, true],
    ['the token there lives longer', { token: one, tokenTtlMs: 10 }, { token: other, tokenTtlMs: 11 }, false],
    ['only the token here lives', { token: one, tokenTtlMs: 1 }, { token: other }, true],
    ['neither lives, and nobody else has had the client', { token: one }, { token: other, replicas: ['a', 'a2'] }, true],
    ['neither lives, and others have', { token: one }, { token: other, replicas: ['a', 'b'] }, false]
  ]
  for (const [name, own, stored, expected] of rows) {
    t.equal(isOwnNewer({ client: '192.0.2.1:1', target, idleMs: 0, ...own }, { target, sequence: 5, replicas: [], ...stored }, replica => replica.startsWith('a')), expected, name)
  }
  t.end()
})
