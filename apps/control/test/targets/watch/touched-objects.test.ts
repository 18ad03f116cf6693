// Which objects a change concerns, and keys.
import t from 'tap'
import { kubeObject, mapping } from '../../inventory/kube-objects.js'
import { SERVICES_TYPE } from '../../../src/inventory/objects/resource-types.js'
import { objectFromKey, targetKey } from '../../../src/targets/target-key.js'
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

void t.test('a key names its object, and an address has none', async t => {
  const name = { resourceType: 'gameserver', namespace: 'games', name: 'a' }
  t.strictSame(objectFromKey(targetKey(name)), name)
  for (const key of ['address/192.0.2.1/7777', 'address/2001:db8::1/7777,-', 'nonsense', 'two/parts', '']) t.equal(objectFromKey(key), undefined, key)
})
