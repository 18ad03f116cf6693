// What can go wrong with a watch, one case after the other, against a server that does it. Each ends with the check
// that matters: what is held is what the server has.
import t, { type Test } from 'tap'
import { createFakeClock } from '#testkit/fake-clock.js'
import { bookmarkStorm, cutAtOpen, cutFrame, dropEvents, duplicateEvents, editEvent, errorFrame, hugeEvent, noBookmarks, rawLine, swapEvents } from '#testkit/kube-api/faults/frame-faults.js'
import type { Fault } from '#testkit/kube-api/faults/fault.js'
import { openRig, server, type Rig, type RigOptions } from '../rig.js'

const watch = { verb: 'watch', type: 'gameservers' } as const
const statusFault = (code: number): Fault => ({ kind: 'status', code })

const count = (rig: Rig, verb: 'list' | 'watch'): number => rig.requests().filter(request => request.verb === verb).length

// With two GameServers, a and b, and the first watch open, or refused.
async function openWatching (t: Test, faults: readonly Fault[] = [], options: RigOptions & { times?: number } = {}): Promise<Rig> {
  const rig = await openRig(t, {
    ...options,
    prepare: async api => {
      api.load([server('a'), server('b')])
      if (faults.length > 0) api.fault({ ...watch, times: options.times ?? 1 }, ...faults)
      await options.prepare?.(api)
    }
  })
  await rig.converged()
  await rig.until(() => count(rig, 'watch') > 0)
  return rig
}

function change (rig: Rig, name: string, state: string): void {
  rig.api.store.patch('gameservers', `games/${name}`, { status: { state } })
}

void t.test('events are applied as they come', async t => {
  const rig = await openWatching(t)
  rig.api.load([server('c'), server('elsewhere', { namespace: 'other' })])
  change(rig, 'a', 'Allocated')
  rig.api.store.delete('gameservers', 'games/b')
  await rig.converged()
  t.match(rig.inventory.get('gameserver', 'games', 'a'), { status: { state: 'Allocated' } })
  t.equal(count(rig, 'list'), 1)
  const { query, headers } = rig.requests().find(({ verb }) => verb === 'watch')!
  t.match(query, { allowWatchBookmarks: 'true', resourceVersion: '99', timeoutSeconds: '265' })
  t.notOk('accept-encoding' in headers, 'never compressed')
  t.strictSame(rig.inventory.status(), { synced: true, ageMs: 0, faults: [] })
})

void t.test('a watch that is refused is opened again from the same version', async t => {
  const table: ReadonlyArray<readonly [name: string, faults: readonly Fault[], lists: number, delayMs: number]> = [
    ['500', [statusFault(500)], 1, 800],
    ['503', [statusFault(503)], 1, 800],
    ['429', [{ kind: 'status', code: 429, retryAfterSeconds: 5 }], 1, 5000],
    ['401', [statusFault(401)], 1, 0],
    ['a reset', [{ kind: 'reset' }], 1, 800],
    ['no answer', [{ kind: 'hang' }], 1, 15_000],
    ['an answer that stops at once', [cutAtOpen('end')], 1, 800],
    ['410', [statusFault(410)], 2, 0],
    ['400', [statusFault(400)], 2, 0],
    ['403', [statusFault(403)], 1, 800],
    ['404', [statusFault(404)], 1, 800]
  ]
  for (const [name, faults, lists, delayMs] of table) {
    await t.test(name, async t => {
      const rig = await openWatching(t, faults)
      change(rig, 'a', 'Allocated')
      await rig.converged(40_000)
      await rig.pass(1200)
      t.equal(count(rig, 'list'), lists)
      const [first, next] = rig.requests().slice(1)
      t.ok(next!.atMs - first!.atMs >= delayMs, `${next!.atMs - first!.atMs} ms`)
      t.strictSame(rig.inventory.status().faults, [], 'and all is well')
    })
  }
})

void t.test('a server that fails at one version for a minute is asked for another', async t => {
  const rig = await openWatching(t, [statusFault(500)], { times: Infinity })
  await rig.until(() => rig.told.includes('relisting stuck'), 120_000)
  t.ok(rig.clock.now() >= 60_000, `after ${rig.clock.now()} ms`)
  t.match(rig.inventory.status().faults, [/^Cannot watch gameservers\.agones\.dev in namespace games: the server failed: 500/])
  t.ok(rig.inventory.status().ageMs >= 60_000, 'and the age says how old the content is')
  rig.api.clearFaults()
  await rig.converged(70_000)
})

void t.test('connections that are refused cost no list', async t => {
  const rig = await openWatching(t)
  rig.api.refuse()
  rig.api.drop('reset')
  await rig.until(() => rig.inventory.status().faults.length > 0, 20_000)
  t.match(rig.inventory.status().faults, [/^The Kubernetes API cannot be reached: .*ECONNREFUSED/])
  await rig.pass(20_000)
  t.equal(rig.held().length, 2, 'the last known is served')
  change(rig, 'a', 'Allocated')
  rig.api.store.delete('gameservers', 'games/b')
  await rig.api.accept()
  await rig.converged(70_000)
  await rig.pass(1200)
  t.equal(count(rig, 'list'), 1)
  t.equal(rig.logged.filter(line => line.startsWith('warn')).length, 1, 'said once')
  t.match(rig.logged.at(-1), /^info Kubernetes fault is over/)
})

void t.test('a storm of watches that end at once calms down', async t => {
  const rig = await openWatching(t, [cutAtOpen('end')], { times: Infinity })
  await rig.pass(60_000)
  t.ok(count(rig, 'watch') <= 25, `${count(rig, 'watch')} watches in a minute`)
  t.equal(count(rig, 'list'), 1)
  rig.api.clearFaults()
  change(rig, 'a', 'Allocated')
  await rig.converged(70_000)
})

void t.test('silence ends a watch, wherever it comes from', async t => {
  for (const name of ['no bookmarks', 'a connection that is half open']) {
    await t.test(name, async t => {
      const rig = await openWatching(t, [noBookmarks()])
      if (name !== 'no bookmarks') rig.api.watches()[0]!.cut('stall')
      change(rig, 'a', 'Allocated')
      if (name === 'no bookmarks') await rig.converged()
      await rig.until(() => rig.told.includes('watchEnded idle'), 92_000)
      t.ok(rig.clock.now() >= 90_000, `after ${rig.clock.now()} ms`)
      await rig.converged()
      t.equal(count(rig, 'list'), 1)
      await rig.until(() => count(rig, 'watch') === 2)
    })
  }
})

void t.test('a server that sends no bookmarks at all is not a fault', async t => {
  const rig = await openWatching(t, [noBookmarks()], { times: Infinity })
  await rig.pass(590_000)
  t.equal(count(rig, 'list'), 1)
  t.ok(count(rig, 'watch') <= 8)
  t.strictSame(rig.inventory.status().faults, [])
  change(rig, 'a', 'Allocated')
  await rig.converged()
})

void t.test('a watch that outlives its time is ended', async t => {
  // For the server no time passes, and so it never ends the watch.
  const rig = await openWatching(t, [], { clock: createFakeClock() })
  for (let minute = 0; minute < 4; minute++) {
    await rig.pass(60_000)
    rig.api.watches()[0]!.bookmark()
  }
  t.strictSame(rig.told, ['listed ok'])
  await rig.until(() => rig.told.includes('watchEnded overdue'), 40_000)
  t.ok(rig.clock.now() >= 275_000, `after ${rig.clock.now()} ms`)
  await rig.until(() => count(rig, 'watch') === 2)
  change(rig, 'a', 'Allocated')
  await rig.converged()
  t.equal(count(rig, 'list'), 1)
})

void t.test('what no watch shows comes to light with a list every ten minutes', async t => {
  const rig = await openWatching(t, [dropEvents(1)], { bookmarkPeriodMs: 80_000 })
  change(rig, 'a', 'Allocated')
  await rig.pass(590_000)
  t.not(rig.held()[0], rig.served()[0], 'the event is lost')
  await rig.converged(400_000)
  t.ok(rig.told.includes('relisting routine'))
})

void t.test('a watch that is cut in the middle of a line goes on from before it', async t => {
  for (const how of ['reset', 'fin', 'end'] as const) {
    await t.test(how, async t => {
      const rig = await openWatching(t, [cutFrame(how, 2)])
      change(rig, 'a', 'Allocated')
      change(rig, 'b', 'Allocated')
      await rig.converged()
      t.ok(rig.told.includes('watchEnded broken'), rig.told.join(', '))
      t.equal(count(rig, 'list'), 1)
      t.equal(rig.requests().at(-1)!.query['resourceVersion'], '100', 'the first event is not asked for again')
    })
  }
})

void t.test('lines are found wherever the network cut them', async t => {
  const annotations = { name: 'Zoë’s 游戏 🎮' }
  for (const bytes of [1, 7, 'within-characters'] as const) {
    const rig = await openWatching(t, [{ kind: 'pieces', bytes }])
    rig.api.store.patch('gameservers', 'games/a', { metadata: { annotations } })
    change(rig, 'b', 'Allocated')
    await rig.converged()
    t.strictSame(rig.inventory.get('gameserver', 'games', 'a')?.metadata.annotations, annotations)
    t.strictSame(rig.told, ['listed ok'])
  }
})

void t.test('blank lines, CRLF and two events at once are fine', async t => {
  const rig = await openWatching(t)
  const [handle] = rig.api.watches()
  const object = (name: string, version: string): string =>
    JSON.stringify({ type: 'ADDED', object: { ...server(name), metadata: { name, namespace: 'games', resourceVersion: version } } })
  handle!.raw(`\r\n\n  \n${object('x', '200')}\r\n${object('y', '201')}\r\n\n`)
  await rig.until(() => rig.held().length === 4)
  t.strictSame(rig.held(), ['a@98', 'b@99', 'x@200', 'y@201'])
  t.strictSame(rig.told, ['listed ok'])
})

void t.test('an event nobody can make sense of means a new list', async t => {
  const event = JSON.stringify({ type: 'ADDED', object: { ...server('x'), metadata: { name: 'x', namespace: 'games' } } })
  const table: ReadonlyArray<readonly [reason: string, fault: Fault]> = [
    ['bad_json', rawLine('{"type":"ADDED","object":{')],
    ['bad_json', rawLine('[]')],
    ['unknown_type', rawLine('{"type":"RENAMED","object":{}}')],
    ['no_version', rawLine(event)],
    ['no_version', rawLine('{"type":"BOOKMARK","object":{"metadata":{}}}')],
    ['bad_object', editEvent(({ type, object: { metadata, ...object } }) => ({ type, object }))],
    ['bad_object', editEvent(({ type }) => ({ type }))],
    ['bad_object', editEvent(({ type, object }) => ({ type, object: { ...object, metadata: { ...object['metadata'] as object, labels: { a: 1 } } } }))],
    ['wrong_kind', editEvent(({ type, object }) => ({ type, object: { ...object, kind: 'Fleet' } }))],
    ['wrong_kind', editEvent(({ type, object }) => ({ type, object: { ...object, apiVersion: 'agones.dev/v2' } }))],
    ['wrong_kind', editEvent(({ type, object }) => ({ type, object: { ...object, metadata: { ...object['metadata'] as object, namespace: 'other' } } }))],
    ['too_long', hugeEvent(10 * 1024 * 1024)]
  ]
  for (const [reason, fault] of table) {
    const rig = await openWatching(t, [fault])
    change(rig, 'a', 'Allocated')
    await rig.until(() => rig.told.includes('relisting corrupt'))
    t.ok(rig.told.includes(`corrupted ${reason}`), rig.told.join(', '))
    await rig.converged()
    t.equal(count(rig, 'list'), 2)
    await rig.until(() => rig.api.watches().length === 1)
    t.match(rig.logged.find(line => line.startsWith('warn')), new RegExp(`Kubernetes event makes no sense.*"reason":"${reason}"`))
    await rig.inventory.close()
  }
})

void t.test('nonsense without end is listed at the pace of failures', async t => {
  const rig = await openWatching(t, [rawLine('nonsense')], { times: Infinity })
  await rig.pass(60_000)
  t.ok(count(rig, 'list') <= 9, `${count(rig, 'list')} lists in a minute`)
})

void t.test('an ERROR ends the watch, whether or not the server does', async t => {
  for (const then of ['open', 'close'] as const) {
    for (const [code, lists] of [[410, 2], [undefined, 2], [400, 2], [500, 1], [429, 1]] as const) {
      await t.test(`${code ?? 'no code'}, then ${then}`, async t => {
        const rig = await openWatching(t, [errorFrame(code, then)])
        change(rig, 'a', 'Allocated')
        await rig.converged()
        t.equal(count(rig, 'list'), lists)
        await rig.until(() => rig.api.watches().length === 1 && count(rig, 'watch') === 2)
        t.equal(rig.api.connections() <= 2, true, 'the stream was destroyed')
      })
    }
  }
})

void t.test('a version that was compacted away means a new list, unless a bookmark was newer', async t => {
  await t.test('without a bookmark', async t => {
    const rig = await openWatching(t)
    rig.api.refuse()
    rig.api.drop('fin')
    change(rig, 'a', 'Allocated')
    rig.api.store.delete('gameservers', 'games/b')
    rig.api.store.compact()
    await rig.api.accept()
    await rig.converged(20_000)
    t.ok(rig.told.includes('relisting expired'))
    t.equal(rig.held().length, 1, 'what was deleted meanwhile is gone')
  })
  await t.test('with one', async t => {
    const rig = await openWatching(t)
    rig.api.store.tick(100)
    rig.api.watches()[0]!.bookmark()
    await rig.pass(100)
    rig.api.store.compact()
    rig.api.watches()[0]!.cut('end')
    await rig.until(() => count(rig, 'watch') === 2)
    change(rig, 'a', 'Allocated')
    await rig.converged()
    t.equal(count(rig, 'list'), 1)
    t.equal(rig.requests().at(-1)!.query['resourceVersion'], '199')
  })
})

void t.test('a thousand bookmarks are one', async t => {
  const rig = await openWatching(t, [bookmarkStorm(1000)])
  rig.api.store.tick(5)
  rig.api.watches()[0]!.bookmark()
  change(rig, 'a', 'Allocated')
  await rig.converged()
  t.strictSame(rig.told, ['listed ok'])
})

void t.test('a watch that ends on time goes on where it was', async t => {
  const rig = await openWatching(t)
  let changes = 0
  await rig.pass(264_000)
  change(rig, 'a', 'Allocated')
  await rig.converged()
  await rig.pass(100)
  rig.inventory.onChange(() => { changes++ })
  await rig.until(() => rig.told.includes('watchEnded timed_out'), 3000)
  change(rig, 'b', 'Allocated')
  await rig.converged()
  await rig.pass(200)
  t.equal(count(rig, 'list'), 1)
  t.equal(count(rig, 'watch'), 2)
  t.equal(changes, 1, 'nothing came twice')
})

void t.test('an object that was replaced while nobody looked is the new one', async t => {
  for (const isCompacted of [false, true]) {
    const rig = await openWatching(t)
    const before = rig.inventory.get('gameserver', 'games', 'a')?.metadata.uid
    rig.api.refuse()
    rig.api.drop('fin')
    rig.api.store.delete('gameservers', 'games/a')
    rig.api.load([server('a', { state: 'Starting' })])
    if (isCompacted) rig.api.store.compact()
    await rig.api.accept()
    await rig.converged(20_000)
    t.not(rig.inventory.get('gameserver', 'games', 'a')?.metadata.uid, before)
  }
})

void t.test('events out of the ordinary', async t => {
  const line = (type: string, name: string, resourceVersion: string, uid?: string): string =>
    `${JSON.stringify({ type, object: { ...server(name), metadata: { name, namespace: 'games', resourceVersion, uid } } })}\n`
  const rig = await openWatching(t)
  const [handle] = rig.api.watches()
  handle!.raw(line('MODIFIED', 'x', '200', 'x-1') + line('ADDED', 'x', '201', 'x-1') + line('DELETED', 'unknown', '202', 'u'))
  await rig.until(() => rig.held().includes('x@201'))
  handle!.raw(line('DELETED', 'x', '203', 'x-0'))
  await rig.until(() => !rig.held().includes('x@201'))
  handle!.raw(line('ADDED', 'x', '204', 'x-2') + line('DELETED', 'x', '203', 'x-1') + line('MODIFIED', 'a', '97', 'a'))
  await rig.until(() => rig.told.length >= 3)
  t.ok(rig.held().includes('x@204'), 'the successor stays')
  t.strictSame(rig.told, ['listed ok', 'staleEvent', 'staleEvent'], 'late news are dropped')
})

void t.test('an event that comes twice is one', async t => {
  const rig = await openWatching(t, [duplicateEvents(1, 3)])
  change(rig, 'a', 'Allocated')
  rig.api.store.delete('gameservers', 'games/b')
  rig.api.load([server('c')])
  await rig.converged()
  t.strictSame(rig.told, ['listed ok'])
})

void t.test('a stream that goes back in time is not believed', async t => {
  const rig = await openWatching(t, [swapEvents(1)])
  rig.api.store.patch('gameservers', 'games/a', { status: { state: 'Allocated' } })
  rig.api.store.delete('gameservers', 'games/b')
  await rig.until(() => rig.told.includes('corrupted version_went_back'))
  await rig.converged()
})

void t.test('a cluster that was restored from a backup', async t => {
  const rig = await openWatching(t)
  const backup = rig.api.store.backup()
  rig.api.load([server('c')])
  rig.api.store.delete('gameservers', 'games/a')
  await rig.converged()
  rig.api.restore(backup)
  await rig.converged(310_000)
  t.strictSame(rig.held(), ['a@98', 'b@99'])
})

void t.test('clients of a server that stops come back one after the other', async t => {
  let drawn = 0
  const rig = await openWatching(t, [], { random: () => (drawn++ * 0.37) % 1, config: { namespaces: ['games', 'b', 'c', 'd', 'e'] } })
  await rig.until(() => rig.api.watches().length === 5)
  await rig.pass(5000)
  for (const handle of rig.api.watches()) handle.cut('end')
  const again = (): readonly number[] => rig.requests().filter(({ verb }) => verb === 'watch').slice(5).map(({ atMs }) => atMs)
  await rig.until(() => again().length === 5)
  t.ok(new Set(again()).size > 1, again().join(' '))
  t.ok(Math.max(...again()) - rig.clock.now() <= 1000, 'and soon')
})

void t.test('after a leap of time everything is still there', async t => {
  const rig = await openWatching(t)
  rig.clock.advance(3_600_000)
  await rig.pass(2000)
  change(rig, 'a', 'Allocated')
  await rig.converged()
  t.ok(count(rig, 'watch') <= 3)
  // An hour is more than the ten minutes after which a watch that ends is followed by a routine list; which of the two
  // comes first in one leap is a matter of turns.
  t.ok(count(rig, 'list') <= 2)
})
