import t from 'tap'
import { err, ok } from '#core/result.js'
import { nodeAddress, serviceAddress } from '../../src/advertise/object-address.js'

const none = err('has no address of a load balancer yet, and no externalIPs')

void t.test('a Service: its load balancer\'s first address, or else its first external IP', async t => {
  const service = (ingress: unknown, externalIPs?: unknown): unknown => ({ spec: { externalIPs }, status: { loadBalancer: { ingress } } })
  const cases: ReadonlyArray<readonly [string, unknown, unknown]> = [
    ['an IP', service([{ ip: '203.0.113.7', ipMode: 'VIP' }, { ip: '203.0.113.8' }]), ok('203.0.113.7')],
    ['a host name', service([{ hostname: 'a1.elb.eu-west-1.amazonaws.com' }]), ok('a1.elb.eu-west-1.amazonaws.com')],
    ['an IP goes before a host name of the same entry', service([{ hostname: 'a.example.com', ip: '2001:db8::7' }]), ok('2001:db8::7')],
    ['externalIPs alone', service(undefined, ['192.0.2.4']), ok('192.0.2.4')],
    ['the load balancer goes before externalIPs', service([{ ip: '203.0.113.7' }], ['192.0.2.4']), ok('203.0.113.7')],
    ['not yet', service([]), none],
    ['nothing at all', {}, none],
    ['no object', 'text', none],
    ['of other types', service({ ip: '203.0.113.7' }, '192.0.2.4'), none],
    ['empty texts', service([{ ip: '', hostname: '' }], ['']), none],
    ['what nobody can send to', service([{ ip: '0.0.0.0' }]), err('has an address that nobody can send to: it must be the address of one host, not "0.0.0.0"')],
    ['what is not an address', service([{ hostname: 'a b' }]), err('has an address that nobody can send to: it must be an IP address or a host name, not "a b"')]
  ]
  for (const [name, object, expected] of cases) t.strictSame(serviceAddress(object), expected, name)
})

void t.test('a Node: its first address of the type', async t => {
  const node = { status: { addresses: [{ type: 'InternalIP', address: '10.0.0.5' }, { type: 'ExternalIP', address: '203.0.113.9' }, { type: 'ExternalIP', address: '2001:db8::9' }, { type: 'Hostname', address: 'node-1' }] } }
  t.strictSame(nodeAddress('ExternalIP')(node), ok('203.0.113.9'))
  t.strictSame(nodeAddress('InternalIP')(node), ok('10.0.0.5'))
  t.strictSame(nodeAddress('Hostname')(node), ok('node-1'))
  t.strictSame(nodeAddress('ExternalDNS')(node), err('has no address of type ExternalDNS; it has InternalIP, ExternalIP, Hostname'))
  t.strictSame(nodeAddress('ExternalIP')({}), err('has no address of type ExternalIP; it has none at all'))
})
