// What can go wrong with a list, one case after the other, against a server that does it.
import t from 'tap'
import type { Fault } from '#testkit/kube-api/faults/fault.js'
import { openRig, server } from '../rig.js'

const list = { verb: 'list', type: 'gameservers' } as const
const statusFault = (code: number): Fault => ({ kind: 'status', code })

void t.test('a list that fails is tried again, more and more rarely', async t => {
  const outcomes: ReadonlyArray<readonly [name: string, faults: readonly Fault[], limitMs: number]> = [
    ['500', [statusFault(500)], 10_000],
    ['502 from a proxy that speaks HTML', [{ kind: 'status', code: 502, body: '<html>Bad Gateway</html>' }], 10_000],
    ['503', [statusFault(503)], 10_000],
    ['504 for a version that is too new', [{ kind: 'status', code: 504, message: 'Too large resource version: 200, current: 100' }], 10_000],
    ['a status nobody expects', [statusFault(418)], 10_000],
    ['no answer', [{ kind: 'hang' }], 110_000],
    ['a reset connection', [{ kind: 'reset' }], 10_000],
    ['half a body, then silence', [{ kind: 'cut', how: 'stall' }], 110_000],
    ['half a body, then a reset', [{ kind: 'cut', how: 'reset' }], 10_000],
    ['half a body, then FIN', [{ kind: 'cut', how: 'fin' }], 10_000],
    ['half a body that ends as if whole', [{ kind: 'cut', how: 'end' }], 10_000],
    ['a body that is not a list', [{ kind: 'edit', change: () => ['no', 'list'] }], 10_000],
    ['a list whose items are not an array', [{ kind: 'edit', change: body => ({ ...body, items: {} }) }], 10_000],
    ['a list without a version', [{ kind: 'edit', change: body => ({ ...body, metadata: {} }) }], 10_000],
    ['a list of other things', [{ kind: 'edit', change: body => ({ ...body, items: [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', namespace: 'games' } }] }) }], 10_000],
    ['a list from another namespace', [{ kind: 'edit', change: body => ({ ...body, items: [server('b', { namespace: 'other' })] }) }], 10_000],
    ['an item without a name', [{ kind: 'edit', change: body => ({ ...body, items: [{ apiVersion: 'agones.dev/v1', kind: 'GameServer', metadata: {} }] }) }], 10_000],
    ['a list that never ends', [{ kind: 'edit', change: body => ({ ...body, metadata: { ...body.metadata, continue: 'MTAw' } }) }], 10_000]
  ]
  for (const [name, faults, limitMs] of outcomes) {
    await t.test(name, async t => {
      const rig = await openRig(t, {
        prepare: api => {
          api.load([server('a'), server('b')])
          api.fault({ ...list, times: 3 }, ...faults)
        }
      })
      await rig.until(() => rig.told.includes('listed fault'), limitMs)
      t.notOk(rig.inventory.status().synced)
      t.strictSame(rig.held(), [], 'nothing of it is seen')
      if (!name.startsWith('504')) t.equal(rig.inventory.status().faults.length, 1)
      await rig.converged(limitMs)
      t.ok(rig.requests().filter(({ verb }) => verb === 'list').length >= 4)
      t.strictSame(rig.inventory.status().faults, [], 'and all is well')
    })
  }
})

void t.test('a server that is overwhelmed is left alone for as long as it asks, and no longer', async t => {
  const rig = await openRig(t, { prepare: api => { api.fault(list, { kind: 'status', code: 429, retryAfterSeconds: 7 }) } })
  await rig.converged(20_000)
  const [first, second] = rig.requests()
  t.ok(second!.atMs - first!.atMs >= 7000 && second!.atMs - first!.atMs < 8000, `${second!.atMs - first!.atMs} ms`)
})

void t.test('pages are put together before anyone sees them', async t => {
  const many = Array.from({ length: 1100 }, (_, index) => server(`s${String(index).padStart(4, '0')}`))
  const secondPage = { ...list, where: ({ query }: { query: Readonly<Record<string, string>> }) => query['continue'] !== undefined }

  await t.test('three of them', async t => {
    const rig = await openRig(t, { prepare: api => { api.load(many) } })
    let least = Infinity
    rig.inventory.onChange(() => { least = Math.min(least, rig.held().length) })
    await rig.converged()
    await rig.pass(100)
    t.equal(least, 1100, 'never a part of them')
    const queries = rig.requests().filter(({ verb }) => verb === 'list').map(({ query }) => query)
    t.match(queries[0], { limit: '500', resourceVersion: '' })
    t.notOk('resourceVersion' in queries[1]!, 'a continuation names no version')
    t.equal(queries.length, 3)
  })

  await t.test('the second expired: the whole list in one piece', async t => {
    const rig = await openRig(t, { prepare: api => { api.load(many); api.fault(secondPage, statusFault(410)) } })
    await rig.converged()
    const lists = rig.requests().filter(({ verb }) => verb === 'list')
    t.equal(lists.length, 3)
    t.notOk('limit' in lists[2]!.query)
    t.strictSame(rig.logged.filter(line => line.startsWith('warn')), [], 'nothing to worry about')
  })

  await t.test('expired without end: at the pace of failures', async t => {
    const rig = await openRig(t, { prepare: api => { api.load(many); api.fault({ ...list, times: Infinity }, statusFault(410)) } })
    await rig.pass(60_000)
    t.ok(rig.requests().length <= 12, `${rig.requests().length} requests in a minute`)
    rig.api.clearFaults()
    await rig.converged(70_000)
  })

  await t.test('the second failed: from the start', async t => {
    const rig = await openRig(t, { prepare: api => { api.load(many); api.fault(secondPage, statusFault(500)) } })
    await rig.until(() => rig.told.includes('listed fault'))
    t.strictSame(rig.held(), [])
    await rig.converged()
  })

  await t.test('an object on two pages: its newest state', async t => {
    const rig = await openRig(t, {
      prepare: api => {
        api.load(many)
        const old = { ...api.store.get('gameservers', 'games/s0000'), metadata: { name: 's0000', namespace: 'games', resourceVersion: '1' } }
        api.fault(secondPage, { kind: 'edit', change: body => ({ ...body, items: [old, ...body.items ?? []] }) })
      }
    })
    await rig.converged()
    t.equal(rig.held().length, 1100)
  })
})

void t.test('nothing is a list too', async t => {
  for (const items of [[], null, undefined]) {
    const rig = await openRig(t, { prepare: api => { api.fault(list, { kind: 'edit', change: body => ({ ...body, items }) }) } })
    await rig.until(() => rig.inventory.status().synced)
    await rig.api.watching({ type: 'gameservers' })
    t.strictSame(rig.held(), [])
    rig.api.load([server('a')])
    await rig.converged()
  }
})

void t.test('items of built-in types come without a kind', async t => {
  const rig = await openRig(t, {
    config: { resourceQueryMapping: { gameserver: { version: 'v1', group: '', resource: 'Pods' } } },
    prepare: api => { api.load([{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', namespace: 'games' } }]) }
  })
  rig.api.fault({ verb: 'list' }, { kind: 'edit', change: body => ({ ...body, items: body.items?.map(item => ({ ...item as object, kind: undefined, apiVersion: undefined })) }) })
  await rig.until(() => rig.inventory.status().synced)
  t.match(rig.inventory.get('gameserver', 'games', 'a'), { apiVersion: 'v1', kind: 'Pod' })
  rig.api.store.patch('pods', 'games/a', { status: { phase: 'Running' } })
  await rig.until(() => rig.inventory.get('gameserver', 'games', 'a')?.['status'] !== undefined)
  t.strictSame(rig.told, ['listed ok'])
})

void t.test('what no query asks for is not kept', async t => {
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}', map: 'dust' }
  const rig = await openRig(t, {
    prepare: api => { api.load([{ ...server('a'), metadata: { name: 'a', namespace: 'games', annotations, managedFields: [{ manager: 'x' }] } }]) }
  })
  await rig.converged()
  t.strictSame(rig.inventory.get('gameserver', 'games', 'a')?.metadata.annotations, { map: 'dust' })
  t.notOk('managedFields' in rig.inventory.get('gameserver', 'games', 'a')!.metadata)
  rig.api.store.patch('gameservers', 'games/a', { status: { state: 'Allocated' } })
  await rig.converged()
  t.notOk('managedFields' in rig.inventory.get('gameserver', 'games', 'a')!.metadata, 'nor from an event')
})
