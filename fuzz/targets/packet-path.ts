// Histories of a small core, and arbitrary datagrams from anybody: one verdict each, and a ledger that balances.
import fc from 'fast-check'
import type { Core } from '../../apps/proxy/src/core/core.js'
import { Direction } from '../../apps/proxy/src/core/ledger/counters.js'
import { DropReason } from '../../apps/proxy/src/core/ledger/drop-reason.js'
import { CONSUMED, FORWARD } from '../../apps/proxy/src/core/datagrams/packet-path.js'
import { fuzzTarget, must, type FuzzTarget } from '../fuzz-target.js'
import { mustBeEmptyInTheEnd, mustBeSound, mustForward } from '../core-facts.js'
import { history, smallCore, takeStep } from '#testkit/lives/core-history.js'

const datagram = fc.record({
  isFromClient: fc.boolean(),
  number: fc.nat(4),
  words: fc.uint32Array({ minLength: 4, maxLength: 4 }),
  port: fc.nat(65_535),
  bytes: fc.uint8Array({ maxLength: 120 }),
  isTruncated: fc.boolean()
})

const verdicts: ReadonlySet<number> = new Set([FORWARD, CONSUMED, ...Object.values(DropReason)])

/** @param create makes the core that is tried */
export function packetPath (create: () => Core = smallCore): FuzzTarget {
  return fuzzTarget({
    name: 'packet-path',
    what: 'any datagrams from anybody after any history: one verdict each, the ledger balances, bounds hold, nothing is kept for ever',
    inputs: fc.record({ steps: history, datagrams: fc.array(datagram, { maxLength: 20 }) }),
    testRuns: 150,
    open: () => ({
      check: ({ steps, datagrams }) => {
        const core = create()
        let now = 0
        for (const step of steps) {
          takeStep(core, step, now)
          if (step.do === 'pass') now += step.ms
        }
        for (const { isFromClient, number, words, port, bytes, isTruncated } of datagrams) {
          const verdict = isFromClient
            ? core.packets.fromClient(number % 2, words, port, bytes, isTruncated, now)
            : core.packets.fromTarget(number, words, port, bytes.length, isTruncated, now)
          must(verdicts.has(verdict), `verdict ${verdict}`)
          if (verdict === FORWARD) core.state.counters.countProxied(isFromClient ? Direction.toTarget : Direction.toClient, core.state.flows.dataPort(core.packets.flow), bytes.length)
        }
        mustBeSound(core, now)
        mustForward(core, now)
        mustBeSound(core, now)
        mustBeEmptyInTheEnd(core, now)
      }
    })
  })
}
