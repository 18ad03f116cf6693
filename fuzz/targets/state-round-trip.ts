// Any history of a proxy, killed at any moment: the next life knows what this one knew.
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { fuzzTarget, must, type FuzzTarget } from '../fuzz-target.js'
import { countersOf, flowsOf, mustBeEmptyInTheEnd, mustBeSound, mustForward, sessionsOf, tokensOf } from '../core-facts.js'
import { history } from '#testkit/lives/core-history.js'
import { clockAfter, live, restoreOnto } from '#testkit/lives/proxy-life.js'
import { DropReason } from '../../apps/proxy/src/core/ledger/drop-reason.js'

/** @param restore what is tried: a test has one that forgets something */
export function stateRoundTrip (restore = restoreOnto): FuzzTarget {
  return fuzzTarget({
    name: 'state-round-trip',
    what: 'any history of a core through its state log: the next life has the same sessions, flows, tokens and counters',
    inputs: fc.record({ steps: history, isKilled: fc.boolean(), absentMs: fc.nat(900), shards: fc.integer({ min: 1, max: 3 }) }),
    testRuns: 150,
    open: () => ({
      check: ({ steps, isKilled, absentMs, shards }) => {
        const { core, clock, log, storage } = live(steps)
        if (!isKilled) log.close()
        const later = clockAfter(clock, absentMs)
        // Tokens whose time is over by then are not told.
        clock.advance(absentMs)
        const { saved, cores } = restore(storage, shards, later)
        const [first] = cores
        must(saved.faulty.length === 0 && saved.torn.length === 0, `logs set aside: ${JSON.stringify(saved.faulty)}`)
        mustBeSame('sessions', cores.flatMap(restored => sessionsOf(restored, later)).sort(), sessionsOf(core, clock))
        for (const restored of cores) mustBeSame('tokens', tokensOf(restored, later), tokensOf(core, clock))
        if (shards === 1) mustBeSame('flows', flowsOf(first!), flowsOf(core))
        // A kill loses what was counted since the last period; what was under way has another place in the ledger.
        first!.state.counters.dropped[DropReason.restart] = core.state.counters.dropped[DropReason.restart]!
        if (!isKilled) mustBeSame('counters', countersOf(first!), countersOf(core))
        for (const restored of cores) {
          mustBeSound(restored, later.now())
          mustForward(restored, later.now())
          mustBeSound(restored, later.now())
          mustBeEmptyInTheEnd(restored, later.now())
        }
      }
    })
  })
}

function mustBeSame (what: string, restored: unknown, before: unknown): void {
  must(isDeepStrictEqual(restored, before), `${what} were ${JSON.stringify(before)} and are ${JSON.stringify(restored)}`)
}
