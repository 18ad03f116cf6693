// Every engine of the table against the one suite.
import t from 'tap'
import { openLibc } from '../../src/engines/batch/system/libc.js'
import { systemEngines } from '../../src/shards/engine-kinds.js'
import { conformance, savedWhenSent } from './conformance.js'
import { heldConformance } from './held-conformance.js'
import { openHere } from './open-here.js'

for (const { name } of systemEngines(openLibc)) {
  void t.test(name, async t => {
    conformance(t, openHere[name])
    heldConformance(t, openHere[name])
  })
}

// What the suite would say of one that does not do its part.
void t.test('an engine that forgets to write before it sends is found, whichever it is', async t => {
  for (const { name } of systemEngines(openLibc)) {
    t.equal(await savedWhenSent(t, async (body, options) => await openHere[name](body, { ...options, beforeSend: () => {} })), 0, name)
  }
})
