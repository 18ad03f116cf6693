// State logs as a crash, a disk, a bug or an attacker may leave them, checksums right or not.
import fc from 'fast-check'
import { fuzzTarget, must, type FuzzTarget } from '../fuzz-target.js'
import { mustBeEmptyInTheEnd, mustBeSound, mustForward } from '../core-facts.js'
import { history } from '#testkit/lives/core-history.js'
import { applyEdit, edit } from '#testkit/lives/log-edits.js'
import { MemoryStorage } from '#testkit/memory-storage.js'
import { clockAfter, live, openLog, restoreOnto } from '#testkit/lives/proxy-life.js'

/** @param restore what is tried: a test has one that believes every checksum */
export function stateLogs (restore = restoreOnto): FuzzTarget {
  return fuzzTarget({
    name: 'state-logs',
    what: 'damaged and forged state logs: whatever they hold, the proxy starts, within its bounds, and forwards',
    inputs: fc.record({
      histories: fc.array(history, { minLength: 1, maxLength: 2 }),
      edits: fc.array(edit, { minLength: 1, maxLength: 4 }),
      shards: fc.integer({ min: 1, max: 2 }),
      absentMs: fc.constantFrom(0, 50, 61_000)
    }),
    testRuns: 200,
    open: () => ({
      check: ({ histories, edits, shards, absentMs }) => {
        const storage = new MemoryStorage()
        const [life] = histories.map((steps, shard) => live(steps, storage, { shard, shards: histories.length }))
        for (const edit of edits) applyEdit(storage, edit)
        const clock = clockAfter(life!.clock, absentMs)
        const { saved, cores } = restore(storage, shards, clock)
        const now = clock.now()
        must(saved.faulty.every(({ name }) => saved.names.includes(name)), 'a log is set aside that is not there')
        for (const [shard, core] of cores.entries()) {
          mustBeSound(core, now)
          mustForward(core, now)
          mustBeSound(core, now)
          const next = new MemoryStorage()
          openLog(core, clock, next, { shard, shards }).close()
          must(restoreOnto(next, 1, clock).saved.faulty.length === 0, 'what was restored cannot be saved again')
          mustBeEmptyInTheEnd(core, now)
        }
      }
    })
  })
}
