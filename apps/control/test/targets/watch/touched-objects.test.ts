// Which objects a change concerns, whose absence means something, and keys.
import t from 'tap'
import type { Config } from '#config/schema.js'
import { kubeObject, mapping } from '../../inventory/kube-objects.js'
import { SERVICES_TYPE } from '../../../src/inventory/objects/resource-types.js'
import { objectFromKey, targetKey } from '../../../src/targets/target-key.js'
import { compileHolds } from '../../../src/targets/watch/holds.js'
import { compileTouchedObjects } from '../../../src/targets/watch/touched-objects.js'

const gameservers = { group: 'agones.dev', version: 'v1', resource: 'gameservers' }

void t.test('a Service concerns the objects it stands for, now and before', async t => {
  const touched = compileTouchedObjects({
    direct: mapping(),
    legacy: { ...gameservers, serviceSelectorLabel: 'gs', serviceTargetPortName: 'default' },
    other: { ...gameservers, serviceSelectorLabel: 'room', serviceTargetPortName: 'default' },
    dns: { group: '', version: 'v1', resource: 'services', serviceSelectorLabel: 'gs', serviceTargetPortName: 'dns' }
  })
  const service = (labels: Record<string, string>) => kubeObject('v1', 'Service', 's', { labels })
  const change = (before: ReturnType<typeof service> | undefined, after: ReturnType<typeof service> | undefined, resourceType = SERVICES_TYPE): string[] =>
    touched({ resourceType, namespace: 'games', name: 's', before, after }).map(targetKey)
  t.strictSame(change(undefined, service({ gs: 'a' })), ['legacy/games/a'])
  t.strictSame(change(service({ gs: 'a' }), service({ gs: 'a', x: 'y' })), ['legacy/games/a'])
  t.strictSame(change(service({ gs: 'a' }), service({ gs: 'b' })), ['legacy/games/a', 'legacy/games/b'])
  t.strictSame(change(service({ gs: 'a', room: 'r' }), undefined), ['legacy/games/a', 'other/games/r'])
  t.strictSame(change(undefined, service({ app: 'a' })), [])
  t.strictSame(change(undefined, service({ gs: 'a' }), 'dns'), ['dns/games/s'], 'a mapped Service is an object itself')
})

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
  for (const [description, fields, type, namespace, holds] of table) t.equal(compileHolds(config(fields))(type, namespace), holds, description)
})

void t.test('a key names its object, and an address has none', async t => {
  const name = { resourceType: 'gameserver', namespace: 'games', name: 'a' }
  t.strictSame(objectFromKey(targetKey(name)), name)
  for (const key of ['address/192.0.2.1/7777', 'address/2001:db8::1/7777,-', 'nonsense', 'two/parts', '']) t.equal(objectFromKey(key), undefined, key)
})
