// The load generator: a process that sends as fast as it can or at a given rate, and does nothing else meanwhile.
import { openLibc } from '../../../apps/proxy/src/engines/batch/system/libc.js'
import { percentile } from '../../statistics.js'
import { serve } from '#testkit/processes/helper.js'
import type { Endpoint } from '../endpoints.js'
import { BATCH, Crowd, TIME_OFFSET } from './crowd.js'
import { nap, run, type Sending, type Sent } from './pace.js'
import { Replies } from './replies.js'

export interface RoundTrips extends Sent {
  readonly received: number
  /** Replies that the kernel dropped because a client's socket was full. */
  readonly drops: number
  readonly p50Us: number
  readonly p99Us: number
  readonly p999Us: number
}

// Replies that have not come so long after the one before are lost; a busy machine keeps some waiting.
const LAST_REPLIES_MS = 500
const PAYLOAD_TIME_BYTES = 8

const libc = await openLibc()
const crowds = new Map<string, Crowd>()
let crowd: Crowd | undefined

const calls = {
  /** Makes clients, which are there until the end; the same ones if it is called again. */
  open: async ({ clients, bytes }: { clients: number, bytes: number }): Promise<void> => {
    const key = `${clients} ${bytes}`
    crowd = crowds.get(key) ?? new Crowd(libc, clients, bytes)
    crowds.set(key, crowd)
  },
  /** Says where the clients send from now on. */
  aim: async ({ destinations }: { destinations: readonly Endpoint[] }): Promise<void> => { crowd!.aim(destinations) },
  send: async (sending: Sending): Promise<Sent> => run(sending, due => crowd!.send(due), sending.perSecond === undefined ? () => undefined : nap),
  /** Sends at a rate, and receives what comes back. */
  roundTrips: async ({ seconds, perSecond }: { seconds: number, perSecond: number }): Promise<RoundTrips> => {
    const replies = new Replies(libc, crowd!, Math.ceil(seconds * perSecond * 2))
    const time = new Float64Array(crowd!.payload.bytes.buffer, TIME_OFFSET, PAYLOAD_TIME_BYTES / 8)
    const drops = crowd!.receiveDrops()
    const sent = run({ seconds, perSecond }, due => {
      time[0] = performance.now()
      return crowd!.send(Math.min(due, BATCH))
    }, () => {
      replies.take()
      nap()
    })
    for (let last = performance.now(); replies.received < sent.sent && performance.now() - last < LAST_REPLIES_MS;) {
      if (replies.take() > 0) last = performance.now()
      nap()
    }
    const sorted = replies.latencies.subarray(0, replies.received).sort()
    const us = (percent: number): number => percentile(sorted, percent) * 1000
    return { ...sent, received: replies.received, drops: crowd!.receiveDrops() - drops, p50Us: us(50), p99Us: us(99), p999Us: us(99.9) }
  }
}

export type GeneratorCalls = typeof calls

serve(calls, async () => { for (const crowd of crowds.values()) crowd.close() })
