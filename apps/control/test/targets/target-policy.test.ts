// Which addresses targets may have: a golden table over the policies, then agreement with an independent CIDR library.
import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import t from 'tap'
import { addressWords } from '#wire/address.js'
import { addressBlock } from '#wire/address-block.js'
import { ownListeners, ownSources } from '#config/own-listeners.js'
import { createTargetPolicy, type RefusalReason } from '../../src/targets/target-policy.js'

const own = { ownAddresses: ['127.0.0.1', '::1', '10.0.0.5', 'fd00::5'], ownPorts: [7777, 7778] }
const policies = {
  default: createTargetPolicy(own),
  allowed: createTargetPolicy({ ...own, allowedTargets: ['10.0.0.0/8', 'fd00::/8'] }),
  laptop: createTargetPolicy({ ...own, allowedTargets: ['127.0.0.0/8', '::1/128'] }),
  everything: createTargetPolicy({ ...own, allowedTargets: ['0.0.0.0/0', '::/0'] }),
  nothing: createTargetPolicy({ ...own, allowedTargets: [] })
}

type Row = readonly [policy: keyof typeof policies, address: string, port: number, reason: RefusalReason | undefined]

const golden: readonly Row[] = [
  ['default', '203.0.113.7', 7000, undefined],
  ['default', '10.1.2.3', 7000, undefined],
  ['default', '192.168.0.1', 7000, undefined],
  ['default', '100.64.0.1', 7000, undefined],
  ['default', '2001:db8::1', 7000, undefined],
  ['default', 'fd00::1', 7000, undefined],
  ['default', '127.0.0.1', 7000, 'loopback'],
  ['default', '127.8.9.1', 7000, 'loopback'],
  ['default', '::1', 7000, 'loopback'],
  ['default', '::ffff:127.0.0.1', 7000, 'loopback'],
  ['default', '::ffff:7f00:1', 7000, 'loopback'],
  ['default', '169.254.169.254', 80, 'link_local'],
  ['default', '::ffff:169.254.169.254', 80, 'link_local'],
  ['default', 'fe80::1', 7000, 'link_local'],
  ['default', 'febf::1', 7000, 'link_local'],
  ['default', '0.0.0.0', 7000, 'not_unicast'],
  ['default', '0.1.2.3', 7000, 'not_unicast'],
  ['default', '::', 7000, 'not_unicast'],
  ['default', '224.0.0.1', 7000, 'not_unicast'],
  ['default', '239.255.255.255', 7000, 'not_unicast'],
  ['default', '255.255.255.255', 7000, 'not_unicast'],
  ['default', 'ff02::1', 7000, 'not_unicast'],
  ['default', 'example.invalid', 7000, 'not_an_address'],
  ['default', '', 7000, 'not_an_address'],
  ['default', '10.0.0.5', 7777, 'own_listener'],
  ['default', '10.0.0.5', 7779, undefined],
  ['default', '::ffff:10.0.0.5', 7778, 'own_listener'],
  ['default', 'fd00::5', 7777, 'own_listener'],
  ['allowed', '10.1.2.3', 7000, undefined],
  ['allowed', '11.0.0.1', 7000, 'not_in_allowed_targets'],
  ['allowed', '2001:db8::1', 7000, 'not_in_allowed_targets'],
  ['allowed', '127.0.0.1', 7000, 'not_in_allowed_targets'],
  ['allowed', '10.0.0.5', 7777, 'own_listener'],
  ['laptop', '127.0.0.1', 7000, undefined],
  ['laptop', '::1', 7000, undefined],
  ['laptop', '127.0.0.1', 7777, 'own_listener'],
  ['laptop', '127.0.0.2', 7778, 'own_listener'],
  ['laptop', '10.0.0.1', 7000, 'not_in_allowed_targets'],
  ['everything', '169.254.169.254', 80, undefined],
  ['everything', '0.0.0.0', 80, 'not_unicast'],
  ['everything', '224.0.0.1', 80, 'not_unicast'],
  ['everything', '::', 80, 'not_unicast'],
  ['nothing', '10.0.0.1', 7000, 'not_in_allowed_targets']
]

void t.test('an address is refused for the reason that comes first', async t => {
  for (const [policy, address, port, reason] of golden) {
    const refusal = policies[policy].check({ address, ports: { voice: 40_000, default: port } })
    t.equal(refusal?.reason, reason, `${policy}: ${address} ${port}`)
    if (refusal === undefined) continue
    t.equal(refusal.code, reason === 'not_an_address' ? 'INVALID_TARGET' : 'TARGET_NOT_ALLOWED')
    t.notOk(address !== '' && refusal.detail.includes(address), 'no address in what callers read')
  }
})

void t.test('127.0.0.0/8 is ours only if we listen on loopback', async t => {
  const bound = createTargetPolicy({ allowedTargets: ['127.0.0.0/8'], ownAddresses: ['10.0.0.5'], ownPorts: [7777] })
  t.equal(bound.check({ address: '127.0.0.1', ports: { default: 7777 } }), undefined)
})

void t.test('a block that is none is a bug of the caller', async t => {
  for (const text of ['', '10.0.0.0/33', '::/129', '10.0.0/8', 'example/8', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0.0/-1']) {
    t.equal(addressBlock(text), undefined, text)
    t.throws(() => createTargetPolicy({ ...own, allowedTargets: [text] }), /is not a CIDR block/)
  }
})

void t.test('blocks hold what an independent library says they hold', async t => {
  const byte = fc.integer({ min: 0, max: 255 })
  const ipv4 = fc.oneof(fc.ipV4(), fc.tuple(byte, byte).map(([left, right]) => `10.0.${left}.${right}`))
  const ipv6 = fc.oneof(fc.ipV6(), byte.map(last => `2001:db8::${last.toString(16)}`))
  let hits = 0
  const agrees = (address: string, base: string, length: number): boolean => {
    const held = addressBlock(`${base}/${length}`)!(addressWords(address)!)
    if (held) hits++
    return held === ipaddr.parse(address).match(ipaddr.parseCIDR(`${base}/${length}`))
  }
  fc.assert(fc.property(ipv4, ipv4, fc.integer({ min: 0, max: 32 }), agrees))
  fc.assert(fc.property(ipv6, ipv6, fc.integer({ min: 0, max: 128 }), agrees))
  t.ok(hits > 10, `${hits} addresses lay within`)
  t.ok(addressBlock('10.0.0.0/8')!(addressWords('::ffff:10.1.2.3')!), 'IPv4-mapped is IPv4')
  t.ok(addressBlock('::ffff:10.0.0.0/104')!(addressWords('10.1.2.3')!))
  t.notOk(addressBlock('10.0.0.1')!(addressWords('10.0.0.2')!), 'without a length it is one address')
})

void t.test('our own listeners are the configured address, or every interface', async t => {
  const dataPorts = [{ name: 'default', port: 7777, protocol: 'udp' }, { name: 'voice', port: 0, protocol: 'udp' }] as const
  const interfaces = { lo: [{ address: '127.0.0.1' }, { address: '::1' }], eth0: [{ address: '10.0.0.5' }, { address: 'fe80::1%eth0' }], down: undefined }
  for (const bindAddress of ['::', '0.0.0.0']) {
    t.strictSame(ownListeners({ bindAddress, dataPorts: [...dataPorts] }, interfaces), {
      ownAddresses: ['127.0.0.1', '::1', '10.0.0.5', 'fe80::1'],
      ownPorts: [7777]
    })
  }
  t.strictSame(ownListeners({ bindAddress: '10.0.0.5', dataPorts: [...dataPorts] }, interfaces).ownAddresses, ['10.0.0.5'])
  const apart = { bindAddress: '10.0.0.5', dataBindAddress: ['10.0.0.6', '0.0.0.0', '2001:db8::1'], dataPorts: [...dataPorts] }
  t.strictSame(ownListeners(apart, interfaces).ownAddresses, ['10.0.0.6', '127.0.0.1', '::1', '10.0.0.5', 'fe80::1', '2001:db8::1'], 'HTTP listeners are not data ports')
  t.strictSame(ownSources({ ...apart, dataBindAddress: '10.0.0.6' }, interfaces), ['10.0.0.6', '127.0.0.1', '::1', '10.0.0.5', 'fe80::1'], 'upstream sockets have any address')
})
