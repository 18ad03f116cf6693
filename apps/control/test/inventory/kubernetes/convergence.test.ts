// Any sequence of changes and faults: at every moment the inventory is what the server was at some moment, each not
// before the last; and once the faults are over, what the server is.
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { bookmarkStorm, cutAfter, cutAtOpen, cutFrame, duplicateEvents, errorFrame, noBookmarks, rawLine } from '#testkit/kube-api/faults/frame-faults.js'
import type { Fault } from '#testkit/kube-api/faults/fault.js'
import { openRig, server, type Rig } from './rig.js'

type Step = (rig: Rig) => Promise<void> | void

const names = ['a', 'b', 'c', 'd'] as const
let states = 0

const set = (name: string): Step => ({ api: { store } }) => {
  const object = server(name, { state: `state ${states++}`, labels: { even: String(states % 2 === 0) } })
  if (store.get('gameservers', `games/${name}`) === undefined) store.create('gameservers', object)
  else store.update('gameservers', object)
}

const remove = (name: string): Step => ({ api: { store } }) => {
  if (store.get('gameservers', `games/${name}`) !== undefined) store.delete('gameservers', `games/${name}`)
}

const cuts = ['reset', 'fin', 'end', 'stall'] as const
// Not among them is what no client could notice at once: events that the server leaves out or sends in another order,
// and a 404 that is a lie.
const faults: fc.Arbitrary<Fault> = fc.oneof(
  fc.constantFrom(400, 401, 403, 410, 429, 500, 503, 504).map((code): Fault => ({ kind: 'status', code })),
  fc.constantFrom<Fault>({ kind: 'hang' }, { kind: 'reset' }, { kind: 'delay', ms: 3000 }, { kind: 'pieces', bytes: 3 }, { kind: 'pieces', bytes: 'within-characters' }),
  fc.record({ how: fc.constantFrom(...cuts), bytes: fc.nat(400) }).map((cut): Fault => ({ kind: 'cut', ...cut })),
  fc.tuple(fc.constantFrom(cutFrame, cutAfter), fc.constantFrom(...cuts), fc.integer({ min: 1, max: 3 })).map(([cut, how, nth]) => cut(how, nth)),
  fc.constantFrom(...cuts).map(how => cutAtOpen(how)),
  fc.tuple(fc.constantFrom(410, 429, 500, undefined), fc.constantFrom('open' as const, 'close' as const), fc.nat(2)).map(([code, then, nth]) => errorFrame(code, then, nth)),
  fc.tuple(fc.constantFrom('nonsense', '{"type":"ADDED"}', '{"type":"RENAMED","object":{}}'), fc.nat(2)).map(([text, nth]) => rawLine(text, nth)),
  fc.constantFrom(duplicateEvents(1, 3), bookmarkStorm(20), noBookmarks())
)

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...names).map(set) },
  { weight: 4, arbitrary: fc.constantFrom(...names).map(remove) },
  { weight: 6, arbitrary: fc.tuple(fc.constantFrom('list', 'watch'), faults, fc.integer({ min: 1, max: 3 })).map(([verb, fault, times]): Step => ({ api }) => { api.fault({ verb, times }, fault) }) },
  { weight: 3, arbitrary: fc.constantFrom(...cuts).map((how): Step => ({ api }) => { for (const handle of api.watches()) handle.cut(how) }) },
  { weight: 1, arbitrary: fc.constantFrom('fin' as const, 'reset' as const).map((how): Step => ({ api }) => { api.drop(how) }) },
  { weight: 2, arbitrary: fc.constant<Step>(({ api }) => { api.store.compact() }) },
  { weight: 2, arbitrary: fc.constant<Step>(({ api }) => { api.store.tick(7); for (const handle of api.watches()) handle.bookmark() }) },
  { weight: 6, arbitrary: fc.constantFrom(100, 1000, 5000).map((ms): Step => async ({ pass }) => { await pass(ms) }) },
  { weight: 1, arbitrary: fc.constantFrom(40_000, 200_000).map((ms): Step => async ({ pass }) => { await pass(ms) }) }
)

async function check (t: Test, sequence: readonly Step[], crowd: number): Promise<void> {
  const rig = await openRig(t, { prepare: ({ load }) => { load(Array.from({ length: crowd }, (_, index) => server(`z${index}`))) } })
  const history = ['', stateOf(rig.served)]
  let reached = 0
  const look = (): void => {
    const place = history.indexOf(stateOf(rig.held), reached)
    if (place < 0) throw new Error(`what is held was never there, or goes back: ${rig.held().slice(0, 8).join(' ')}; ${rig.told.join(', ')}`)
    reached = place
  }
  for (const step of sequence) {
    await step({ ...rig, pass: async ms => { for (let part = 0; part < 4; part++) { await rig.pass(ms / 4); look() } } })
    history.push(stateOf(rig.served))
    look()
  }
  rig.api.clearFaults()
  await rig.converged(600_000)
  look()
  await rig.inventory.close()
  await rig.api.close()
}

function stateOf (objects: () => readonly string[]): string {
  return objects().join(' ')
}

void t.test('whatever happens, the inventory is a state of the server, and in the end the last one', async t => {
  await fc.assert(fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 40 }), fc.constantFrom(0, 0, 0, 700), async (sequence, crowd) => {
    await check(t, sequence, crowd)
  }), { numRuns: 6, interruptAfterTimeLimit: 60_000, markInterruptAsFailure: false })
  t.pass('in all runs')
})
