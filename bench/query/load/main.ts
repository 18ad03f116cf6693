// The process that asks: autocannon, one request at a time on each connection. Latencies are collected here, since
// autocannon's own histogram counts whole milliseconds.
import { setTimeout as sleep } from 'node:timers/promises'
import autocannon from 'autocannon'
import { percentile } from '../../statistics.js'
import { serve } from '#testkit/processes/helper.js'

export interface Load {
  readonly url: string
  readonly connections: number
  readonly bodies: readonly string[]
}

export interface LoadResult {
  readonly answers: number
  /** Answers 404: the object that was chosen changed before its token was acknowledged. */
  readonly gone: number
  /** Other answers than these, and requests without one. */
  readonly failures: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
}

// autocannon stops at the end of one of its sampling intervals.
const SAMPLE_MS = 50
// A machine that is that busy gives no figures.
const MAX_WAITS = 200
// Each connection goes through a part of the bodies again and again.
const BODIES_PER_CONNECTION = 100

let instance: autocannon.Instance | undefined
let done: Promise<unknown> = Promise.resolve()
let latencies: number[] = []
let gone = 0
let failures = 0
let startMs = 0

const calls = {
  /** Begins to ask, without end. */
  start: async ({ url, connections, bodies }: Load): Promise<void> => {
    let clients = 0
    const running = autocannon({
      url,
      connections,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: bodies[0]!,
      duration: 3600,
      sampleInt: SAMPLE_MS,
      setupClient: client => {
        const first = Math.floor(clients++ * bodies.length / connections)
        client.setRequests(bodies.slice(first).concat(bodies).slice(0, BODIES_PER_CONNECTION).map(body => ({ body })))
      }
    }, () => undefined)
    instance = running
    running.on('response', (_client, statusCode, _bytes, responseMs) => {
      if (statusCode === 200) latencies.push(responseMs)
      else if (statusCode === 404) gone++
      else failures++
    })
    running.on('reqError', () => { failures++ })
    done = new Promise(resolve => { running.on('done', resolve) })
  },
  /** Forgets what was measured: what follows counts. */
  mark: async (): Promise<void> => {
    latencies = []
    gone = 0
    failures = 0
    startMs = performance.now()
  },
  /** Ends what `start` began, once anything was answered. */
  stop: async (): Promise<LoadResult> => {
    for (let waits = 0; latencies.length + failures === 0 && waits < MAX_WAITS; waits++) await sleep(SAMPLE_MS)
    const seconds = (performance.now() - startMs) / 1000
    const sorted = Float64Array.from(latencies).sort()
    const result = { answers: sorted.length, gone, failures, seconds, p50Ms: percentile(sorted, 50), p99Ms: percentile(sorted, 99) }
    instance?.stop()
    await done
    return result
  }
}

export type LoadCalls = typeof calls

serve(calls, async () => { instance?.stop() })
