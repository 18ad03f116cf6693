// Every engine of the table against the one suite.
import t from 'tap'
import { engineKinds } from '../../src/shards/engine-kinds.js'
import { conformance } from './conformance.js'
import { openHere } from './open-here.js'

for (const { name } of engineKinds) void t.test(name, async t => { conformance(t, openHere[name]) })
