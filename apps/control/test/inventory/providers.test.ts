// What the rows of the table of providers say of a configuration.
import t from 'tap'
import type { Config } from '#config/schema.js'
import { providers } from '../../src/inventory/providers.js'
import { mapping } from './kube-objects.js'

void t.test('absence means something where the inventory looks', async t => {
  const config = (fields: Partial<Config>) => ({ resourceQueryMapping: { gameserver: mapping() }, inventory: { provider: 'kubernetes' as const }, ...fields })
  const table: ReadonlyArray<readonly [description: string, fields: Partial<Config>, type: string, namespace: string, holds: boolean]> = [
    ['files may have any namespace', { inventory: { provider: 'file', path: '.' } }, 'gameserver', 'any', true],
    ['a type that is not configured', { inventory: { provider: 'file', path: '.' } }, 'constructor', 'any', false],
    ['a namespace that is followed', { namespaces: ['games'] }, 'gameserver', 'games', true],
    ['a namespace that is not', { namespaces: ['games'] }, 'gameserver', 'retired', false],
    ['every namespace', { namespaces: ['*'] }, 'gameserver', 'retired', true],
    ['the default endpoint\'s', { namespaces: ['games'], defaultEndpoint: { resourceType: 'gameserver', namespace: 'lobby' } }, 'gameserver', 'lobby', true],
    ['another type', { namespaces: ['*'] }, 'server', 'games', false]
  ]
  for (const [description, fields, type, namespace, holds] of table) {
    const of = config(fields)
    t.equal(providers[of.inventory.provider].holds(of)(type, namespace), holds, description)
  }
})
