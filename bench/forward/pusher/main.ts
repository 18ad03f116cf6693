// The process that pushes tokens as control does, by control's own queue: what waits while a call is under way leaves with
// the next one.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '#core/system-clock.js'
import { createRpcClient, type RpcClient } from '#rpc/client.js'
import type { Target, TokenGrant, TokenRejection } from '#rpc/contract.js'
import { PushQueue } from '../../../apps/control/src/proxies/push-queue.js'
import { percentile } from '../../statistics.js'
import { serve } from '#testkit/processes/helper.js'

export interface Pushes {
  readonly socketPath: string
  readonly perSecond: number
  readonly seconds: number
  /** What the tokens are good for. */
  readonly target: Target
}

export interface Pushed {
  readonly acknowledged: number
  readonly refused: number
  readonly perSecond: number
  readonly p50Us: number
  readonly p99Us: number
}

const DEADLINE_MS = 5000
// More do not wait: a proxy that cannot keep up gets fewer pushes a second than were asked for.
const MAX_WAITING = 1000
const TTL_MS = 3_600_000
const EPOCH = 1

const calls = {
  push: async ({ socketPath, perSecond, seconds, target }: Pushes): Promise<Pushed> => {
    const client = createRpcClient({ socketPath, deadlineMs: DEADLINE_MS, maxInFlight: 1, clock: systemClock })
    const queue = new PushQueue({ clock: systemClock, maxWaiting: MAX_WAITING, deadlineMs: DEADLINE_MS, onBatch: () => undefined, send: async tokens => await accepted(client, tokens) })
    queue.open()
    const latencies: number[] = []
    const underWay = new Set<Promise<void>>()
    let begun = 0
    let refused = 0
    const pushOne = async (): Promise<void> => {
      const start = performance.now()
      const pushed = await queue.push({ token: randomUUID(), ttlMs: TTL_MS, target })
      if (pushed.ok) latencies.push(performance.now() - start)
      else refused++
    }
    const start = performance.now()
    for (let elapsed = 0; elapsed < seconds; elapsed = (performance.now() - start) / 1000) {
      for (const due = Math.floor(elapsed * perSecond); begun < due && underWay.size < MAX_WAITING; begun++) {
        const push = pushOne()
        underWay.add(push)
        void push.then(() => underWay.delete(push))
      }
      // Not in a busy loop: that would take a processor from those that are measured.
      await sleep(1)
    }
    await Promise.all(underWay)
    const taken = (performance.now() - start) / 1000
    queue.shut()
    await client.close()
    const sorted = Float64Array.from(latencies).sort()
    return { acknowledged: sorted.length, refused, perSecond: sorted.length / taken, p50Us: percentile(sorted, 50) * 1000, p99Us: percentile(sorted, 99) * 1000 }
  }
}

async function accepted (client: RpcClient, tokens: readonly TokenGrant[]): Promise<readonly TokenRejection[] | undefined> {
  const pushed = await client.call('pushTokens', { body: { epoch: EPOCH, revoked: [], tokens: [...tokens] } })
  return pushed.ok ? pushed.value.rejected : undefined
}

export type PusherCalls = typeof calls

serve(calls, async () => undefined)
