import t from 'tap'
import fc from 'fast-check'
import { SlotHeap } from '../../../src/core/tables/slot-heap.js'

const SLOTS = 12

void t.test('the first is always the one that is due first, whatever comes and goes', t => {
  fc.assert(fc.property(fc.array(fc.record({ slot: fc.nat(SLOTS - 1), dueAt: fc.nat(9) }), { maxLength: 60 }), steps => {
    const dueAt = new Float64Array(SLOTS)
    const heap = new SlotHeap(dueAt)
    const present = new Set<number>()
    for (const { slot, dueAt: due } of steps) {
      if (present.delete(slot)) heap.remove(slot)
      else {
        dueAt[slot] = due
        heap.add(slot)
        present.add(slot)
      }
      if (heap.size !== present.size) return false
      if (present.size === 0 ? heap.first !== -1 : dueAt[heap.first] !== Math.min(...[...present].map(member => dueAt[member]!)) || !present.has(heap.first)) return false
    }
    return true
  }), { numRuns: 2000 })
  t.pass('for 2000 histories')
  t.end()
})
