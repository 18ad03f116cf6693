// The decisions of a reflector as a table, and the order and cutting of what they rest on.
import fc from 'fast-check'
import t from 'tap'
import type { FailureReason } from '../../../../src/inventory/kubernetes/api/api-failure.js'
import { failureFromStatus } from '../../../../src/inventory/kubernetes/api/api-failure.js'
import { backOffMs, countFailure, LAST_CHEAP_DELAY_MS, LAST_DEAR_DELAY_MS, noFailures } from '#core/back-off.js'
import { LineDecoder } from '../../../../src/inventory/kubernetes/reflector/follow-watch.js'
import { afterList, afterListFailure, afterWatch, initialState, type Decision, type ReflectorState, type WatchOutcome } from '../../../../src/inventory/kubernetes/reflector/reflector-state.js'
import { compareVersions, isOlder } from '../../../../src/inventory/kubernetes/reflector/collection.js'

const at = (nowMs: number, random = 0): { nowMs: number, random: number } => ({ nowMs, random })
const failure = (reason: FailureReason, retryAfterMs?: number): { reason: FailureReason, detail: string, retryAfterMs?: number } =>
  ({ reason, detail: '', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) })
const failed = (reason: FailureReason, retryAfterMs?: number, lastedMs = 0): WatchOutcome => ({ kind: 'failed', failure: failure(reason, retryAfterMs), lastedMs })
const watching = afterList(initialState, '100', 0).state

void t.test('waits double from 0.8 s, with as much again at random, and start over after two good minutes', async t => {
  t.strictSame([1, 2, 3, 6, 7, 1000].map(count => backOffMs(count, 0, LAST_DEAR_DELAY_MS)), [800, 1600, 3200, 25_600, 30_000, 30_000])
  t.strictSame([1, 2, 3, 1000].map(count => backOffMs(count, 0, LAST_CHEAP_DELAY_MS)), [800, 1600, 2500, 2500])
  t.equal(backOffMs(1, 0.5, LAST_DEAR_DELAY_MS), 1200)
  const first = countFailure(noFailures, 1000)
  t.equal(first.count, 1)
  const second = countFailure(first, 121_000)
  t.equal(second.count, 2)
  t.equal(countFailure(second, 241_001).count, 1)
})

void t.test('after a watch', async t => {
  const table: ReadonlyArray<readonly [outcome: WatchOutcome, version: string | undefined, delayMs: number, more?: Partial<Decision>]> = [
    [{ kind: 'ended', end: 'timed_out', lastedMs: 265_000 }, '105', 0],
    [{ kind: 'ended', end: 'idle', lastedMs: 90_000 }, '105', 0],
    [{ kind: 'ended', end: 'closed', lastedMs: 5000 }, '105', 250],
    [{ kind: 'ended', end: 'broken', lastedMs: 5000 }, '105', 250],
    [{ kind: 'ended', end: 'closed', lastedMs: 999 }, '105', 1200],
    [{ kind: 'corrupt', lastedMs: 5000 }, undefined, 250, { relist: 'corrupt' }],
    [failed('expired'), undefined, 250, { relist: 'expired', unsure: true }],
    [failed('rejected'), undefined, 250, { relist: 'refused' }],
    [failed('forbidden'), '105', 1200, { unsure: true }],
    [failed('not_found'), '105', 1200, { unsure: true }],
    [failed('unauthorized'), '105', 0, { refresh: true, unsure: true }],
    [failed('untrusted'), '105', 1200, { refresh: true }],
    [failed('unreachable'), '105', 1200, { refresh: true }],
    [failed('timeout'), '105', 1200],
    [failed('server_error'), '105', 1200],
    [failed('server_error', 5000), '105', 5000],
    [failed('too_many_requests'), '105', 1200],
    [failed('too_many_requests', 1000), '105', 1000]
  ]
  for (const [outcome, version, delayMs, more = {}] of table) {
    const { state, ...rest } = afterWatch(watching, '105', outcome, at(265_000, 0.5))
    t.strictSame({ version: state.version, ...rest }, { version, delayMs, ...more }, JSON.stringify(outcome))
  }
})

void t.test('a version that the server fails at is given up after a minute, but not one that goes on', async t => {
  let { state } = afterWatch(watching, '100', failed('server_error'), at(1000))
  const progressed = afterWatch(state, '101', failed('server_error'), at(61_000)).state
  t.equal(progressed.version, '101')
  state = afterWatch(state, '100', failed('server_error'), at(60_999)).state
  t.equal(state.version, '100')
  t.match(afterWatch(state, '100', failed('too_many_requests'), at(61_000)), { state: { version: undefined }, relist: 'stuck' })
})

void t.test('a resource that was never read is unavailable when it was refused twice in a row, until it is listed', async t => {
  const once = afterListFailure(initialState, failure('not_found'), at(0))
  t.match(once, { state: { isUnavailable: false }, delayMs: 800, empty: undefined, unsure: true })
  const twice = afterListFailure(once.state, failure('not_found'), at(1000, 0.5))
  t.match(twice, { state: { isUnavailable: true }, delayMs: 1500, empty: true, unsure: undefined })
  const forbidden = afterListFailure(afterListFailure(initialState, failure('forbidden'), at(0)).state, failure('forbidden'), at(1000))
  t.match(forbidden, { state: { isUnavailable: true }, delayMs: 1000, empty: undefined })
  t.notOk(afterListFailure(once.state, failure('forbidden'), at(1000)).state.isUnavailable, 'two different answers are none')
  t.ok(afterListFailure(twice.state, failure('server_error'), at(50_000)).state.isUnavailable, 'another failure says nothing of it')
  t.notOk(afterList(twice.state, '1', 0).state.isUnavailable)
})

// Refusals every `everyMs` from `fromMs` on, at the pace of the decisions; until one is believed.
function refusals (state: ReflectorState, reason: 'forbidden' | 'not_found', fromMs: number): { readonly atMs: number, readonly decision: Decision } {
  for (let atMs = fromMs; ;) {
    const decision = state.version === undefined ? afterListFailure(state, failure(reason), at(atMs)) : afterWatch(state, state.version, failed(reason), at(atMs))
    if (decision.unsure !== true) return { atMs, decision }
    t.notOk(decision.state.isUnavailable || decision.empty)
    state = decision.state
    atMs += decision.delayMs
  }
}

void t.test('a resource that was read before is unavailable when lists were refused for ten seconds', async t => {
  for (const reason of ['forbidden', 'not_found'] as const) {
    const watch = refusals(watching, reason, 5000)
    t.ok(watch.atMs >= 15_000 && watch.atMs <= 20_000, `believed after ${watch.atMs - 5000} ms`)
    t.match(watch.decision, { state: { version: undefined, isUnavailable: false }, relist: 'unavailable' }, 'a list may still be allowed')
    const listMs = watch.atMs + watch.decision.delayMs
    t.match(afterListFailure(watch.decision.state, failure(reason), at(listMs)), { state: { isUnavailable: true }, empty: reason === 'not_found' ? true : undefined, unsure: undefined })
    const listed = afterList(watch.decision.state, '200', listMs).state
    const again = afterWatch(listed, '200', failed(reason), at(listMs))
    t.match(again, { state: { version: undefined, isUnavailable: false }, relist: 'unavailable', unsure: undefined }, 'or is: then what only lists tell is asked for more and more rarely')
    t.ok(again.delayMs > watch.decision.delayMs)
    const other = afterWatch(watch.decision.state, '100', failed('too_many_requests'), at(listMs)).state
    t.equal(afterWatch(other, '100', failed(reason), at(listMs)).unsure, true, 'any other answer starts it over')
  }
})

void t.test('a starting server is followed closely, whatever it answers and however long it was away', async t => {
  let state = watching
  let nowMs = 0
  const take = (outcome: WatchOutcome, random = 0.999): number => {
    const decision = afterWatch(state, state.version ?? '', outcome, at(nowMs, random))
    state = decision.state
    nowMs += decision.delayMs
    return decision.delayMs
  }
  for (let refused = 0; refused < 100; refused++) t.ok(take(failed('unreachable')) <= 5000, 'one that is not there costs nothing')
  t.ok(take(failed('forbidden')) <= 5000)
  t.equal(take(failed('server_error', 5000)), 5000)
  t.equal(take(failed('too_many_requests', 1000)), 1000, 'as long as it asks for, not longer')
  t.ok(take(failed('server_error')) <= 5000)
  t.equal(take(failed('unauthorized')), 0)
  t.ok(take(failed('unauthorized')) <= 3200, 'what is dear is counted by itself')
  t.ok(take(failed('expired')) <= 500, 'and so are lists')
  state = afterList(state, '300', nowMs).state
  t.equal(take(failed('server_error'), 0), 800, 'a list starts the count over')
  take(failed('server_error'))
  t.equal(take(failed('server_error', undefined, 1000), 0), 800, 'and so does a watch that settled')
})

void t.test('a version that is given up again and again is listed more and more rarely, whatever succeeds in between', async t => {
  let state = watching
  let nowMs = 0
  const delays: number[] = []
  for (let round = 0; round < 9; round++) {
    const decision = afterWatch(state, '100', { kind: 'corrupt', lastedMs: 5000 }, at(nowMs))
    delays.push(decision.delayMs)
    nowMs += decision.delayMs + 5000
    state = afterList(decision.state, '100', nowMs).state
  }
  t.strictSame(delays, [0, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000])
})

void t.test('what has passed since the last list is waited already: a server that restarts now and then is followed at once', async t => {
  // One that restarts whenever a list was of use for so long, and lists take a while.
  const delaysOf = (heldMs: readonly number[], takesMs = 0): number[] => {
    let state = watching
    let nowMs = 0
    return Array.from({ length: 16 }, (_, round) => {
      nowMs += heldMs[round % heldMs.length]!
      const { delayMs, state: next } = afterWatch(state, '100', failed('expired'), at(nowMs, 0.999))
      const listedMs = nowMs + delayMs
      nowMs = listedMs + takesMs
      state = afterList(next, '100', listedMs, nowMs).state
      return delayMs
    })
  }
  for (const heldMs of [[60_000], [30_000], [40_000, 17_000, 10_000]]) t.ok(delaysOf(heldMs).every(delayMs => delayMs <= 500), `${heldMs.join()}: ${delaysOf(heldMs).join()}`)
  t.ok(delaysOf([20_000]).slice(0, 5).every(delayMs => delayMs <= 500), delaysOf([20_000]).join())
  for (const takesMs of [0, 40_000]) {
    for (const heldMs of [0, 20_000]) t.ok(delaysOf([heldMs], takesMs).slice(7).every(delayMs => delayMs + heldMs > 59_000), 'who never is of use for long is listed once in 30 to 60 s')
  }
})

void t.test('a list that fails half-way is dear, one that is refused is not', async t => {
  let [whole, half] = [initialState, initialState]
  for (let count = 0; count < 20; count++) {
    whole = afterListFailure(whole, failure('unreachable'), at(count)).state
    half = afterListFailure(half, { ...failure('unreachable'), isPartial: true }, at(count)).state
  }
  t.equal(afterListFailure(whole, failure('unreachable'), at(20)).delayMs, 2500)
  for (const reason of ['unreachable', 'timeout'] as const) {
    const state = afterListFailure(half, { ...failure(reason), isPartial: true }, at(20))
    t.equal(state.delayMs, reason === 'unreachable' ? 30_000 : 800, reason)
  }
})

void t.test('credentials are tried once more at once, then at the pace of failures', async t => {
  const first = afterListFailure(initialState, failure('unauthorized'), at(0))
  t.match(first, { delayMs: 0, refresh: true })
  t.match(afterListFailure(first.state, failure('unauthorized'), at(10)), { delayMs: 800, refresh: true })
  t.match(afterListFailure(initialState, failure('too_many_requests', 7000), at(0)), { delayMs: 7000 })
})

void t.test('what a Status says', async t => {
  const table: ReadonlyArray<readonly [body: unknown, code: number | undefined, retryAfter: string | undefined, expected: object]> = [
    [{ code: 410, reason: 'Expired', message: 'too old' }, undefined, undefined, { reason: 'expired', detail: '410 too old' }],
    [{ reason: 'Gone' }, undefined, undefined, { reason: 'expired', detail: 'no status code Gone' }],
    [undefined, undefined, undefined, { reason: 'rejected', detail: 'no status code' }],
    [{ details: { retryAfterSeconds: 3 } }, 429, undefined, { reason: 'too_many_requests', detail: '429', retryAfterMs: 3000 }],
    [{ details: { retryAfterSeconds: 3 } }, 503, '5', { reason: 'server_error', detail: '503', retryAfterMs: 5000 }],
    [null, 429, '999999', { reason: 'too_many_requests', detail: '429', retryAfterMs: 300_000 }],
    [null, 429, '0', { reason: 'too_many_requests', detail: '429' }],
    [null, 429, 'Wed, 21 Oct 2026 07:28:00 GMT', { reason: 'too_many_requests', detail: '429' }],
    [{ message: 'Too large resource version: 2, current: 1' }, 504, undefined, { reason: 'expired', detail: '504 Too large resource version: 2, current: 1' }],
    ['<html>', 302, undefined, { reason: 'rejected', detail: '302' }]
  ]
  for (const [body, code, retryAfter, expected] of table) t.strictSame(failureFromStatus(body, code, retryAfter), expected)
})

void t.test('versions are ordered as integers of any size, or not at all', async t => {
  t.ok(isOlder('99', '100'))
  t.ok(isOlder('99999999999999999998', '99999999999999999999'))
  t.notOk(isOlder('100', '100'))
  t.notOk(isOlder('abc', '100'))
  t.notOk(isOlder(undefined, '100'))
  t.equal(compareVersions('0100', '100'), 0)
  t.equal(compareVersions('a', 'b'), undefined)
  t.equal(compareVersions('a', 'a'), 0)
})

void t.test('lines come out as they went in, however the bytes were cut', async () => {
  fc.assert(fc.property(fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 50 })), fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (texts, lengths) => {
    const lines = texts.map(text => JSON.stringify(text))
    const bytes = Buffer.from(lines.map(line => `${line}\n`).join(''))
    const decoder = new LineDecoder()
    const seen: string[] = []
    for (let from = 0, turn = 0; from < bytes.length; turn++) {
      const to = from + lengths[turn % lengths.length]!
      seen.push(...decoder.push(bytes.subarray(from, to)) ?? ['too long'])
      from = to
    }
    return !decoder.isMidLine && seen.join('\n') === lines.join('\n')
  }))
})
