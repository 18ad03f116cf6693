// Every engine of the table against the one suite.
import t from 'tap'
import { openLibc } from '../../src/engines/batch/libc.js'
import { systemEngines } from '../../src/shards/engine-kinds.js'
import { conformance } from './conformance.js'
import { openHere } from './open-here.js'

for (const { name } of systemEngines(openLibc)) void t.test(name, async t => { conformance(t, openHere[name]) })
