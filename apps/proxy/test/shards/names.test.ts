// Keys and names that every object of JavaScript has something at. Found by fuzzing.
import { systemClock } from '#core/system-clock.js'
import t from 'tap'
import { Shards } from '../../src/shards/shards.js'
import type { Shard } from '../../src/shards/calls/shard.js'
import { Translator } from '../../src/shards/calls/translate.js'

void t.test('targets may be called as they like', async t => {
  const shard = { call: async () => Object.fromEntries([['constructor', 1], ['__proto__', 2]]) } as unknown as Shard
  t.strictSame(Object.entries(await new Shards([shard, shard], undefined, systemClock).ask('leaveTargets', [])), [['constructor', 2], ['__proto__', 4]])
})

void t.test('a data port called as something that every object has is served by targets that say so', async t => {
  const translator = new Translator(['game', 'constructor'])
  t.strictSame(translator.targetSpec({ key: 'A', address: '10.0.0.1', ports: { game: 7001 } }).ports, [7001, 0])
  t.strictSame(translator.targetSpec({ key: 'A', address: '10.0.0.1', ports: { constructor: 7002 } }).ports, [0, 7002])
})
