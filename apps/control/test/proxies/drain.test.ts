// Control's drain over a proxy that only pretends, with a clock the test moves.
import { setImmediate as nextTurn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { ask, eventually, gameServer, goOnline, startRig, type Rig, type RigOptions } from '#testkit/control-rig.js'

const objects = [gameServer('a', '10.0.0.1')]
const query = { resourceType: 'gameserver', namespace: 'game-servers' }
const direct = { ...query, name: 'a' }

type DrainingRig = Rig & { readonly state: { isOver: boolean }, readonly second: () => Promise<void> }

/** Lets what is under way come to rest: the look at the proxy, which is in this process too, and the link's next connection. */
function watchLooks ({ features: { link } }: Rig): () => Promise<void> {
  let underWay = 0
  const drain = link.drain.bind(link)
  link.drain = async untilMs => {
    underWay++
    return await drain(untilMs).finally(() => { underWay-- })
  }
  return async () => {
    // Before and after, what is left to do waits for nothing but its turn.
    await nextTurn()
    await eventually(() => underWay === 0 && link.status().state !== 'connecting')
    await nextTurn()
  }
}

/** A rig in its drain, of which the proxy has said once what is left. */
async function drainingRig (t: Test, options: RigOptions = {}): Promise<DrainingRig> {
  const rig = await startRig(t, { objects, config: 'drainTimeoutSeconds: 60', ...options })
  rig.proxy.left = { sessions: 2, unredeemedTokens: 1, stopping: false }
  const state = { isOver: false }
  const settle = watchLooks(rig)
  void rig.features.drain.run().then(() => { state.isOver = true })
  await settle()
  const second = async (): Promise<void> => {
    rig.clock.advance(1000)
    await settle()
  }
  return { ...rig, state, second }
}

void t.test('no tokens, everything else goes on, and readiness stays', async t => {
  const { open, admin, proxy, state, second, logged, features } = await drainingRig(t)
  for (const [app, path, body] of [[open, '/query', query], [admin, '/tokens', direct]] as const) {
    t.match(await ask(app, 'POST', path, body), { status: 503, type: 'application/problem+json', retryAfter: '1', body: { code: 'DRAINING', detail: /Ask again on a new connection/ } }, path)
    const { headers } = await app.inject({ method: 'POST', url: path, payload: body })
    t.equal(headers.connection, 'close', path)
  }
  t.equal(proxy.drainRemainingMs, 60_000)
  const drain = { sessions: 2, unredeemedTokens: 1, secondsLeft: 60 }
  for (const app of [open, admin]) {
    t.strictSame(await ask(app, 'GET', '/readyz').then(({ status, body }) => [status, body]), [200, { status: 'draining', missing: [], drain }])
    t.match(await ask(app, 'GET', '/healthz'), { status: 200, body: { status: 'draining', drain, proxy: { draining: true } } })
  }
  const metrics = async (): Promise<string> => (await ask(admin, 'GET', '/metrics')).text
  for (const line of ['draining{process="control"} 1', 'drain_sessions_left 2', 'drain_tokens_left 1', 'drain_seconds_left 60']) t.match(await metrics(), `udp_director_${line}\n`)
  t.equal((await ask(admin, 'GET', '/sessions')).status, 200)
  proxy.left = { sessions: 1, unredeemedTokens: 0, stopping: false }
  await second()
  t.match((await ask(open, 'GET', '/readyz')).body, { drain: { sessions: 1, unredeemedTokens: 0, secondsLeft: 59 } })
  t.equal(proxy.drainRemainingMs, 59_000)
  for (let count = 0; count < 9; count++) await second()
  t.match(logged.filter(({ msg }) => msg === 'Control draining'), [{ sessions: 1, unredeemedTokens: 0, secondsLeft: 50 }])
  proxy.left = { sessions: 0, unredeemedTokens: 0, stopping: false }
  await second()
  t.equal(state.isOver, true)
  t.match(logged.filter(({ msg }) => msg.startsWith('Control drain')).map(({ msg, outcome }) => [msg, outcome]), [['Control draining, no more tokens'], ['Control draining'], ['Control drained', 'empty']])
  features.lifecycle.isStopping = true
  t.equal((await ask(open, 'GET', '/readyz')).status, 503, 'what is left is to close')
  t.match(await ask(open, 'POST', '/query', query), { status: 503, body: { code: 'SHUTTING_DOWN' } })
})

void t.test('without a drain the metrics are 0 and healthz has no part of it', async t => {
  const { open, admin } = await startRig(t, { objects })
  const { text } = await ask(admin, 'GET', '/metrics')
  for (const line of ['draining{process="control"} 0', 'drain_sessions_left 0', 'drain_tokens_left 0', 'drain_seconds_left 0']) t.match(text, `udp_director_${line}\n`)
  t.notOk('drain' in ((await ask(open, 'GET', '/healthz')).body as object))
})

void t.test('a proxy that restarts is told with its snapshot, before it takes anybody', async t => {
  const { proxy, features, state, clock, second } = await drainingRig(t)
  await proxy.stop()
  await eventually(() => !features.link.isSynchronised)
  for (let count = 0; count < 5; count++) await second()
  t.equal(state.isOver, false, 'it may come back')
  t.match(features.drain.status(), { sessions: 2, unredeemedTokens: 1 }, 'as last heard')
  const before = proxy.calls.length
  await proxy.restart()
  while (!features.link.isSynchronised) await second()
  const snapshot = proxy.calls.slice(before).find(({ name }) => name === 'putSnapshot')?.body as { drainRemainingMs: number }
  t.ok(snapshot.drainRemainingMs > 0 && snapshot.drainRemainingMs <= 55_000, String(snapshot.drainRemainingMs))
  t.equal(state.isOver, false)
  clock.advance(60_000)
  await eventually(() => state.isOver)
})

void t.test('its time is over', async t => {
  const { state, second, logged } = await drainingRig(t, { config: 'drainTimeoutSeconds: 3' })
  await second()
  await second()
  t.equal(state.isOver, false)
  await second()
  await eventually(() => state.isOver)
  t.match(logged.at(-1), { msg: 'Control drained', outcome: 'timeout', sessions: 2, unredeemedTokens: 1 })
})

void t.test('nobody to wait for: never a proxy, another control process, a proxy that stops too', async t => {
  const never = await drainingRig(t, { isOffline: true })
  await eventually(() => never.state.isOver)
  t.match(never.logged.at(-1), { msg: 'Control drained', outcome: 'alone' })

  const replaced = await drainingRig(t)
  replaced.proxy.epoch = Number.MAX_SAFE_INTEGER
  while (!replaced.state.isOver) await replaced.second()
  t.match(replaced.logged.find(({ msg }) => msg === 'Control drained'), { outcome: 'alone' })

  const both = await drainingRig(t)
  both.proxy.left = { sessions: 2, unredeemedTokens: 0, stopping: true }
  await both.second()
  t.equal(both.state.isOver, false)
  await both.proxy.stop()
  while (!both.state.isOver) await both.second()
  t.match(both.logged.find(({ msg }) => msg === 'Control drained'), { outcome: 'alone', sessions: 2 })
})

void t.test('a proxy that is gone before it was asked: one that had something may come back, one that had nothing need not', async t => {
  for (const sessions of [0, 1]) {
    const rig = await startRig(t, { objects, config: 'drainTimeoutSeconds: 60' })
    rig.features.link.counts.apply({ 'gameserver/game-servers/a': sessions })
    await rig.proxy.close()
    await eventually(() => !rig.features.link.isSynchronised)
    const state = { isOver: false }
    const settle = watchLooks(rig)
    void rig.features.drain.run().then(() => { state.isOver = true })
    await settle()
    t.equal(state.isOver, sessions === 0, `${sessions} sessions`)
    for (let second = 0; second < 60 && !state.isOver; second++) {
      rig.clock.advance(1000)
      await settle()
    }
    t.match(rig.logged.find(({ msg }) => msg === 'Control drained'), { outcome: sessions === 0 ? 'alone' : 'timeout' })
  }
})

void t.test('0 means no drain', async t => {
  const { features, open, proxy } = await startRig(t, { objects, config: 'drainTimeoutSeconds: 0' })
  await features.drain.run()
  t.equal(features.drain.isDraining, false)
  t.equal((await ask(open, 'POST', '/query', query)).status, 200)
  t.equal(proxy.drainRemainingMs, undefined)
})

void t.test('a control process that takes over from one that drained ends the drain, and knows it', async t => {
  const rig = await startRig(t, { objects, isOffline: true })
  rig.proxy.drainRemainingMs = 1000
  await goOnline(rig)
  t.equal(rig.proxy.drainRemainingMs, undefined)
  t.equal(rig.features.link.status().proxy?.draining, false)
})
