import t from 'tap'
import { abilities, isAble } from '../src/contract.js'
import { outcomeOf } from '../src/outcome.js'

const hello = { instanceId: 'one', epoch: 3, controlled: false, engine: 'dgram', draining: false, dataPorts: [] }

void t.test('hello is where two versions meet: what one lacks and what one says besides is not a fault', async t => {
  t.match(outcomeOf('hello', 200, hello), { ok: true, value: hello })
  t.match(outcomeOf('hello', 200, { ...hello, tomorrow: [1] }), { ok: true })
  const { controlled, ...older } = hello
  t.match(outcomeOf('hello', 200, older), { ok: true })
  t.match(outcomeOf('hello', 200, { ...hello, controlled: 'yes' }), { ok: false, error: { code: 'INTERNAL' } })
  t.match(outcomeOf('hello', 200, { ...hello, instanceId: undefined }), { ok: false, error: { code: 'INTERNAL' } })
})

void t.test('an older proxy says of nothing that it can do it', async t => {
  for (const ability of abilities) {
    t.equal(isAble({}, ability), false)
    t.equal(isAble({ can: ['tomorrow'] }, ability), false)
    t.equal(isAble({ can: ['tomorrow', ability] }, ability), true)
  }
})
