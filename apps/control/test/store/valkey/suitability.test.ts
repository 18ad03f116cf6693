import t from 'tap'
import { unsuitability } from '../../../src/store/valkey/suitability.js'

const sound = { redis_version: '7.0.15', redis_mode: 'standalone', role: 'master', maxmemory: '0', maxmemory_policy: 'allkeys-lru' }

function infoOf (fields: Readonly<Record<string, string | undefined>>): string {
  return ['# Server', ...Object.entries({ ...sound, ...fields }).flatMap(([name, value]) => value === undefined ? [] : [`${name}:${value}`]), ''].join('\r\n')
}

void t.test('which servers are suitable', async t => {
  const valkey = (version: string): Record<string, string> => ({ redis_version: '7.2.4', server_name: 'valkey', valkey_version: version })
  for (const fields of [
    {},
    { redis_version: '8.2.1' },
    valkey('7.2.5'),
    valkey('8.1.3'),
    valkey('9.0.0'),
    { maxmemory: '1000000', maxmemory_policy: 'noeviction' },
    { maxmemory: undefined, maxmemory_policy: 'noeviction' }
  ]) t.equal(unsuitability(infoOf(fields), 'single'), undefined, JSON.stringify(fields))
  t.equal(unsuitability(infoOf({ redis_mode: 'cluster', role: 'master' }), 'cluster'), undefined)
})

void t.test('what is wrong with others, and what to do', async t => {
  const golden: ReadonlyArray<readonly [fields: Readonly<Record<string, string | undefined>>, clause: string]> = [
    [{ redis_version: '6.2.14' }, 'the server is Redis 6.2.14: it must be 7.0 or newer'],
    [{ redis_version: '7.2.4', valkey_version: '7.1.0' }, 'the server is Valkey 7.1.0: it must be 7.2 or newer'],
    [{ redis_version: undefined }, 'the server does not tell its version: it must be Valkey 7.2 or Redis 7.0, or newer'],
    [{ redis_mode: 'cluster' }, 'the server is a node of a cluster: sharedState.mode must be cluster'],
    [{ redis_mode: undefined, server_mode: 'cluster' }, 'the server is a node of a cluster: sharedState.mode must be cluster'],
    [{ redis_mode: 'sentinel' }, 'the server is a sentinel: sharedState.mode must be sentinel'],
    [{ role: 'slave' }, 'the server is a replica, which cannot be written to: sharedState.urls must name the primary, or the sentinels with mode sentinel'],
    [{ maxmemory: '1000000' }, 'the server throws keys away when its memory is full (maxmemory-policy allkeys-lru): set maxmemory-policy noeviction, so that no token is redeemed twice'],
    [{ maxmemory: undefined, maxmemory_policy: undefined }, 'the server does not tell its maxmemory_policy: it must be noeviction']
  ]
  for (const [fields, clause] of golden) t.equal(unsuitability(infoOf(fields), 'single'), clause)
  t.equal(unsuitability('', 'single'), golden[2]![1])
})
