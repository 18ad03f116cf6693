import t from 'tap'
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
