// The twin's scripts against the real ones: the same calls in the same order, drawn by chance, have the same replies.
import fc from 'fast-check'
import { Cluster, Redis } from 'iovalkey'
import t from 'tap'
import { startServer, withServer } from '#testkit/store/store-server.js'
import { TwinData } from '#testkit/store/twin-data.js'
import { twinScripts } from '#testkit/store/twin-scripts.js'
import type { ScriptName } from '../../../src/store/scripts.js'
import { commandOf, connectionOptions, createClient } from '../../../src/store/valkey/connection.js'
import { stateOf } from './opening.js'

type Call = readonly [script: Exclude<ScriptName, 'put' | 'probe'>, key: string, args: readonly string[]]

const RUNS = 100
/** What a clock says comes back changed; a sequence of our own is far above it. */
const FUTURE = 9e12

const from = <Value>(...values: readonly Value[]): fc.Arbitrary<Value> => fc.constantFrom(...values)
const name = from('a', 'b')
const replica = fc.oneof({ weight: 4, arbitrary: from('pod-a', 'pod%2C') }, { weight: 1, arbitrary: from(...Array.from({ length: 9 }, (_, at) => `pod-${at}`)) })
const port = from('default', 'voice')
const client = from('192.0.2.1:1', '192.0.2.2:2')
const ttl = from('60000', '90000')
const json = from('{"v":1}', '{"v":1,"x":"- 5 , ~"}', '')
const args = <Item>(...items: ReadonlyArray<fc.Arbitrary<Item>>): fc.Arbitrary<Item[]> => fc.tuple(...items)

const call: fc.Arbitrary<Call> = fc.oneof(
  fc.tuple(from('mint' as const), name, fc.tuple(args(from('- {}', 'p {}'), ttl), fc.array(args(port, client), { maxLength: 2 })).map(([record, known]) => [...record, ...known.flat()])),
  fc.tuple(from('claim' as const), name, args(port, client, from('p', 'q'))),
  fc.tuple(from('void' as const), name, args(ttl)),
  fc.tuple(from('find' as const), name, args<string>()),
  fc.tuple(from('bind' as const), name, args(replica, json, ttl, from('0', '5000'))),
  fc.tuple(from('join' as const), name, args(replica, ttl)),
  fc.tuple(from('keep' as const), name, args(replica, json, ttl, from('0', '5000'), from('0', '5', String(FUTURE), String(FUTURE + 7)))),
  fc.tuple(from('drop' as const), name, args(replica, from('0', '1'))),
  fc.tuple(from('keys' as const), from('k'), args(from('1'.repeat(32), '2'.repeat(32)), from('0', '1000000000'))),
  fc.tuple(from('announce' as const), from('r'), args(replica, json, ttl)),
  fc.tuple(from('replicas' as const), from('r'), args<string>())
)

// Sequences and times that clocks said, and what is left of a life, differ by what passes between two calls.
function withoutClock (reply: unknown): unknown {
  if (Array.isArray(reply)) return reply.length > 3 && reply[0] === 1 ? [...reply.slice(0, 2), ...reply.slice(3).sort()].map(withoutClock) : reply.map(withoutClock)
  if (typeof reply === 'number') return reply > 1e12 && reply < FUTURE ? 'now' : reply
  return typeof reply === 'string' ? reply.replace(/\b1\d{12}\b/g, 'now') : reply
}

void t.test('the twin answers as the real one does, whatever is asked in whatever order', withServer, async t => {
  const { port: at, command } = await startServer(t)
  const sharedState = stateOf({ urls: [`valkey://127.0.0.1:${at}`] })
  const real = createClient({ Redis, Cluster }, sharedState, connectionOptions(sharedState, {}, Math.random)) as Redis
  t.teardown(() => { real.disconnect() })
  await real.connect()
  const scripted = real as unknown as Record<string, (...words: readonly string[]) => Promise<unknown>>
  await fc.assert(fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 60, size: 'max' }), async calls => {
    await command('FLUSHALL')
    const data = new TwinData(Date.now)
    for (const [script, key, args] of calls) {
      const keys = ['mint', 'claim', 'void'].includes(script) ? [`t:{${key}}`, `t:{${key}}:c`] : [`${script === 'announce' ? 'replicas' : script}:${key}`.replace(/^(?:find|bind|join|keep|drop):/, 's:')]
      const expected = withoutClock(twinScripts[script](data, keys, args))
      const actual = withoutClock(await scripted[commandOf(script)]!(...keys, ...args))
      const isReply = !['mint', 'announce'].includes(script)
      if (isReply && !t.same(script === 'replicas' ? [...actual as string[]].sort() : actual, script === 'replicas' ? [...expected as string[]].sort() : expected, `${script} ${key} ${args.join(' ')}`)) return false
    }
    return true
  }), { numRuns: RUNS })
})
