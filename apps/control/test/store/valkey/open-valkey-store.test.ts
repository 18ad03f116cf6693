import { createRequire } from 'node:module'
import t from 'tap'
import { stateOf, opener } from './opening.js'
import { openStarted } from '../conformance.js'
// All that control is made of: what it needs when it starts is loaded with it.
import '../../../src/control.js'
import '../../../src/platform.js'

const { cache } = createRequire(import.meta.url)
const isLoaded = (): boolean => Object.keys(cache).some(file => file.includes('/node_modules/iovalkey/'))

void t.test('the library of the store is loaded with the first store, and not before', async t => {
  t.notOk(isLoaded())
  const { store } = await openStarted(t, opener({ urls: ['valkey://127.0.0.1:1'] }), 'pod-a')
  t.ok(isLoaded())
  t.same(await store.find('192.0.2.1:1000'), { ok: false, error: 'down' })
})

void t.test('a file that cannot be read', async t => {
  for (const key of ['passwordFile', 'sentinelPasswordFile', 'caFile', 'certFile', 'keyFile'] as const) {
    const given = { ...stateOf({ urls: ['valkeys://127.0.0.1:1'] }), [key]: '/nowhere' }
    await t.rejects(openStarted(t, opener(given), 'pod-a'), { message: `sharedState.${key}: /nowhere cannot be used: it cannot be read: ENOENT.` })
  }
})
