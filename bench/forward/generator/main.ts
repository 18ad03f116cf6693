// The load generator: a process that sends as fast as it can or at a given rate, and does nothing else meanwhile.
import { writeFileSync } from 'node:fs'
import { openLibc } from '../../../apps/proxy/src/engines/batch/libc.js'
import { percentile } from '../../statistics.js'
import { serve } from '../../worker.js'
import type { Endpoint } from '../endpoints.js'
import { BATCH, Crowd, TIME_OFFSET } from './crowd.js'
import { Replies } from './replies.js'

export interface Sent {
  readonly sent: number
  readonly seconds: number
}

export interface RoundTrips extends Sent {
  readonly received: number
  /** Replies that the kernel dropped because a client's socket was full. */
  readonly drops: number
  readonly p50Us: number
  readonly p99Us: number
  readonly p999Us: number
}

/** Until the end of `seconds`, or until `count` are sent; at `perSecond`, or as fast as can be. */
export interface Sending {
  readonly seconds?: number
  readonly count?: number
  readonly perSecond?: number
}

// Between two looks at the clock; the kernel makes about 50 µs more of it unless it is told not to.
const NAP_MS = 0.03
// Replies that have not come so long after the one before are lost; a busy machine keeps some waiting.
const LAST_REPLIES_MS = 500
const PAYLOAD_TIME_BYTES = 8

const libc = await openLibc()
const nobody = new Int32Array(new SharedArrayBuffer(4))
const crowds = new Map<string, Crowd>()
let crowd: Crowd | undefined

try {
  writeFileSync('/proc/self/timerslack_ns', '1000')
} catch { // ENOENT, EPERM: naps are longer then, and datagrams come in larger bunches
}

function nap (): void {
  Atomics.wait(nobody, 0, 0, NAP_MS)
}

/** Calls `send` with how many are due, again and again; it returns how many of them were sent. */
function run ({ seconds = Infinity, count = Infinity, perSecond = Infinity }: Sending, send: (due: number) => number, idle: () => void): Sent {
  const start = performance.now()
  let sent = 0
  let elapsed = 0
  while (sent < count && elapsed < seconds) {
    const due = Math.min(count, perSecond === Infinity ? Infinity : Math.floor(elapsed * perSecond)) - sent
    const accepted = due > 0 ? send(due) : 0
    sent += accepted
    if (accepted === 0 || accepted >= due) idle()
    elapsed = (performance.now() - start) / 1000
  }
  return { sent, seconds: elapsed }
}

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
