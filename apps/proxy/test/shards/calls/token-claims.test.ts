import t from 'tap'
import { createFakeClock } from '#testkit/fake-clock.js'
import { whole } from '#core/slices.js'
import { TokenClaims } from '../../../src/shards/calls/token-claims.js'
import { tokenOf } from '../../core/core-driver.js'

const target = { key: 'k', address: '192.0.2.1', ports: { game: 1 } }

void t.test('a token that was made void gives its word back at once, and a fresh one starts with nothing redeemed', t => {
  const claims = new TokenClaims(createFakeClock(), 2)
  for (let round = 0; round < 20; round++) {
    const granted = claims.claimed({ token: tokenOf(`t${round}`), ttlMs: 3_600_000, target })
    t.equal(claims.words[granted?.claim ?? -1], 0)
    claims.words[granted!.claim!] = 1
    claims.release([tokenOf(`t${round}`), tokenOf('nobody')])
  }
  t.end()
})

void t.test('the words of tokens that are over come back when every worker has forgotten them', t => {
  const clock = createFakeClock()
  const claims = new TokenClaims(clock, 2)
  const claim = (name: string) => claims.claimed({ token: tokenOf(name), ttlMs: 1000, target })
  for (const name of ['a', 'b', 'c', 'd']) t.ok(claim(name))
  t.equal(claim('e'), undefined)
  clock.advance(60_000)
  whole(claims.sweep(clock.now()), clock.now())
  t.equal(claim('e'), undefined, 'not yet')
  clock.advance(60_000)
  whole(claims.sweep(clock.now()), clock.now())
  t.ok(claim('e'))
  t.end()
})
