import t from 'tap'
import fc from 'fast-check'
import { RecordTable } from '../../../src/core/tables/record-table.js'

// Few keys and a small table, so that collisions, wrap-around, fullness and re-use all happen in a short run.
const key = fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 }))
const action = fc.record({ do: fc.constantFrom('insert', 'remove', 'find'), key })

void t.test('behaves like a Map, whatever happens to it', t => {
  fc.assert(fc.property(fc.array(action, { maxLength: 200 }), fc.integer(), (actions, seed) => {
    const capacity = 12
    const table = new RecordTable({ capacity, keyWords: 2, stride: 3, seed })
    const model = new Map<string, number>()
    let stamp = 0
    for (const { do: what, key } of actions) {
      const words = Uint32Array.from(key)
      const name = key.join()
      const slot = table.find(words)
      if ((slot >= 0) !== model.has(name)) throw new Error(`find(${name}) gives ${slot}`)
      if (slot >= 0 && table.words[slot * 3 + 2] !== model.get(name)) throw new Error(`payload of ${name} is another's`)
      if (what === 'insert' && slot < 0) {
        const added = table.insert(words)
        if ((added < 0) !== (model.size === capacity)) throw new Error(`insert gives ${added} at size ${model.size}`)
        if (added < 0) continue
        if (table.words[added * 3 + 2] !== 0) throw new Error('payload is not zero')
        table.words[added * 3 + 2] = ++stamp
        model.set(name, stamp)
      } else if (what === 'remove' && slot >= 0) {
        table.remove(slot)
        model.delete(name)
      }
      if (table.size !== model.size) throw new Error('sizes differ')
    }
    const live = Array.from({ length: table.highWater }, (_, slot) => table.isLive(slot)).filter(Boolean).length
    return live === model.size
  }), { numRuns: 2000 })
  t.pass('2000 random histories')
  t.end()
})

void t.test('finds everything at its capacity, and after everything was removed and added again', t => {
  const capacity = 5000
  const table = new RecordTable({ capacity, keyWords: 1, stride: 1, seed: 7 })
  for (let round = 0; round < 3; round++) {
    for (let key = 0; key < capacity; key++) table.insert(Uint32Array.of(key))
    t.equal(table.insert(Uint32Array.of(capacity)), -1, 'full')
    let found = 0
    for (let key = 0; key < capacity; key++) if (table.find(Uint32Array.of(key)) >= 0) found++
    t.equal(found, capacity)
    for (let key = 0; key < capacity; key++) table.remove(table.find(Uint32Array.of(key)))
    t.equal(table.size, 0)
    t.equal(table.highWater, capacity, 'slots are used again')
  }
  t.end()
})
