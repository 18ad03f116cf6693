// Host names in the background: when they are asked for, what is known meanwhile, who hears of it; then a real resolver
// against a small DNS server on loopback.
import { setImmediate as nextTurn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { parseConfig } from '#config/load/load-config.js'
import type { Config } from '#config/schema.js'
import { err, ok, type Result } from '#core/result.js'
import { createFakeClock, type FakeClock } from '#testkit/fake-clock.js'
import { PATIENCE_MS } from '#testkit/patience.js'
import { openUdpPeer } from '#testkit/udp-peer.js'
import type { InventoryChange } from '../../src/inventory/objects/inventory.js'
import { createStore, type Store } from '../../src/inventory/store/store.js'
import { followDefaultEndpoint } from '../../src/targets/watch/default-endpoint.js'
import { createBalancer } from '../../src/query/balancer.js'
import { createDnsResolver } from '../../src/names/dns-resolver.js'
import { followHostNames } from '../../src/names/follow-host-names.js'
import { HostNames, MAX_LOOKUPS, type NameResolver } from '../../src/names/host-names.js'
import { MAX_REFRESH_MS, MIN_REFRESH_MS, type NameAnswer, type NameFailure } from '../../src/names/known-name.js'
import { createSelector } from '../../src/query/selector.js'
import { createTargetPolicy } from '../../src/targets/target-policy.js'
import { gameServer } from '../inventory/kube-objects.js'

type Answer = Result<NameAnswer, NameFailure>

const at = (ttlSeconds: number, ...addresses: readonly string[]): Answer => ok({ addresses, ttlSeconds })

// A DNS that a test writes: what it says now, and what it was asked.
class FakeDns implements NameResolver {
  readonly answers = new Map<string, Answer>()
  readonly asked: string[] = []
  /** While true nothing is answered. */
  isSilent = false
  readonly #held: Array<() => void> = []

  async resolve (name: string): Promise<Answer> {
    this.asked.push(name)
    if (this.isSilent) await new Promise<void>(resolve => { this.#held.push(resolve) })
    return this.answers.get(name) ?? err('no_answer')
  }

  async speak (): Promise<void> {
    this.isSilent = false
    for (const answer of this.#held.splice(0)) answer()
    await nextTurn()
  }

  close (): void {}
}

interface NamesRig {
  readonly dns: FakeDns
  readonly clock: FakeClock
  readonly names: HostNames
  readonly heard: string[]
  readonly logged: string[]
  /** Moves time, and lets answers arrive. */
  readonly pass: (ms: number) => Promise<void>
}

const logTo = (lines: string[]): { warn: (...args: unknown[]) => void, info: (...args: unknown[]) => void } => {
  const line = (level: string) => (...args: unknown[]): void => { lines.push(`${level} ${args.map(arg => typeof arg === 'string' ? arg : JSON.stringify(arg)).join(' ')}`) }
  return { warn: line('warn'), info: line('info') }
}

function rig (t: Test, maxNames = 100): NamesRig {
  const dns = new FakeDns()
  const clock = createFakeClock()
  const heard: string[] = []
  const logged: string[] = []
  const names = new HostNames({ resolver: dns, clock, random: () => 0, log: logTo(logged) as never, maxNames, onChange: changed => { heard.push(changed.join(' ')) } })
  t.teardown(() => {
    names.close()
    if (clock.pending() > 0) throw new Error('A timer is left.')
  })
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms)
    await nextTurn()
  }
  return { dns, clock, names, heard, logged, pass }
}

void t.test('a name is asked for at once, and again when its answer has expired', async t => {
  const { dns, names, heard, pass } = rig(t)
  dns.answers.set('a.example', at(60, '10.0.0.2', '2001:db8::1', '10.0.0.1'))
  names.add('a.example')
  names.add('a.example')
  t.equal(names.addressesOf('a.example'), undefined, 'nothing waits for it')
  await pass(0)
  t.strictSame(names.addressesOf('a.example'), ['10.0.0.1', '10.0.0.2', '2001:db8::1'])
  t.equal(dns.asked.length, 1)
  const { version } = names
  await pass(20)
  t.strictSame(heard, ['a.example'])

  dns.answers.set('a.example', at(60, '10.0.0.1', '10.0.0.2', '2001:db8::1'))
  await pass(59_979)
  t.equal(dns.asked.length, 1, 'not before its TTL')
  await pass(1)
  t.equal(dns.asked.length, 2)
  t.equal(names.version, version, 'another order is not a change')
  dns.answers.set('a.example', at(0, '10.0.0.3'))
  await pass(60_000)
  t.strictSame(names.addressesOf('a.example'), ['10.0.0.3'])
  t.not(names.version, version)
  await pass(20)
  t.equal(heard.length, 2)

  dns.answers.set('a.example', at(86_400, '10.0.0.3'))
  await pass(MIN_REFRESH_MS - 21)
  t.equal(dns.asked.length, 3, 'a TTL of 0 is not a licence to ask for ever')
  await pass(1)
  t.equal(dns.asked.length, 4)
  await pass(MAX_REFRESH_MS - 1)
  t.equal(dns.asked.length, 4)
  await pass(1)
  t.equal(dns.asked.length, 5, 'nor is a day one to be wrong for a day')
})

void t.test('what has no answer is asked for again within 5 s however long that lasts, and what is known is kept', async t => {
  const { dns, clock, names, heard, logged, pass } = rig(t)
  const gaps: number[] = []
  names.add('a.example')
  await pass(0)
  for (let lastMs = 0; gaps.length < 8;) {
    const before = dns.asked.length
    await pass(100)
    if (dns.asked.length === before) continue
    gaps.push(clock.now() - lastMs)
    lastMs = clock.now()
  }
  t.strictSame(gaps, [800, 1600, 2500, 2500, 2500, 2500, 2500, 2500])
  t.strictSame(logged, ['warn {"hostName":"a.example"} Host names cannot be resolved, what is known of them is kept'], 'said once')
  dns.answers.set('a.example', at(10, '10.0.0.1'))
  await pass(5_000)
  t.strictSame(names.addressesOf('a.example'), ['10.0.0.1'])
  t.equal(logged.at(-1), 'info Host names can be resolved again')

  dns.answers.delete('a.example')
  names.add('b.example')
  await pass(10_000)
  t.strictSame(names.addressesOf('a.example'), ['10.0.0.1'], 'a fault of the DNS takes nothing away')
  t.equal(logged.length, 3, 'one line for all that are without an answer')
  dns.answers.set('a.example', err('no_address'))
  await pass(800)
  t.equal(names.addressesOf('a.example'), undefined, 'a definite answer does')
  t.equal(logged.at(-1), 'warn {"hostName":"a.example"} Host name has no address')
  await pass(20)
  t.strictSame(heard, ['a.example', 'a.example'])
  dns.answers.set('a.example', at(10, '10.0.0.1'))
  await pass(60_000)
  t.strictSame(names.addressesOf('a.example'), ['10.0.0.1'])
})

void t.test('a name that nothing uses is forgotten, whatever is under way', async t => {
  const { dns, clock, names, heard, pass } = rig(t)
  dns.answers.set('a.example', at(60, '10.0.0.1'))
  dns.isSilent = true
  names.add('a.example')
  names.delete('a.example')
  names.delete('a.example')
  await dns.speak()
  t.equal(names.addressesOf('a.example'), undefined)
  t.equal(clock.pending(), 0)

  dns.isSilent = true
  names.add('a.example')
  names.delete('a.example')
  names.add('a.example')
  dns.answers.set('a.example', at(60, '10.0.0.2'))
  await dns.speak()
  t.strictSame(names.addressesOf('a.example'), ['10.0.0.2'], 'the second asked for itself')
  t.equal(dns.asked.length, 3)
  await pass(20)
  names.delete('a.example')
  await pass(120_000)
  t.equal(dns.asked.length, 3)
  t.strictSame(heard, ['a.example'])
})

void t.test('names and lookups are bounded', async t => {
  const { dns, names, logged, pass } = rig(t, 40)
  const name = (index: number): string => `n${index}.example`
  for (let index = 0; index < 45; index++) dns.answers.set(name(index), at(60, '10.0.0.1'))
  dns.isSilent = true
  for (let index = 0; index < 45; index++) names.add(name(index))
  t.equal(dns.asked.length, MAX_LOOKUPS)
  await dns.speak()
  await pass(0)
  t.equal(dns.asked.length, 40)
  t.strictSame(logged, ['warn {"maxHostNames":40} Too many host names, some are not resolved'])
  t.equal(names.addressesOf(name(40)), undefined)
  names.delete(name(41))
  names.delete(name(0))
  names.delete(name(1))
  await pass(0)
  t.ok(names.addressesOf(name(40)), 'one that waited takes a free place')
  t.equal(names.addressesOf(name(41)), undefined, 'unless nothing uses it any more')
  t.ok(names.addressesOf(name(42)))
  t.equal(names.addressesOf(name(43)), undefined)
})

const direct = `
inventory: { provider: file, path: . }
namespaces: [games]
resourceQueryMapping:
  gameserver: { group: agones.dev, resource: gameservers, addressPath: status.address, portName: default }
  service: { resource: services, addressPath: spec.clusterIP, portName: default }
defaultEndpoint: { resourceType: gameserver, namespace: games }
`

function configFrom (text: string): Config {
  const parsed = parseConfig(text, 'config.yaml')
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
  return parsed.value.config
}

interface Followed {
  readonly store: Store
  readonly dns: FakeDns
  readonly targets: () => string
  readonly changes: InventoryChange[]
  readonly detail: () => string
  readonly pass: (ms: number) => Promise<void>
}

// From the objects to the targets of the default endpoint, as wiring.ts connects them.
function follow (t: Test, store: Store, dns: FakeDns): Followed {
  const config = configFrom(direct)
  const clock = createFakeClock()
  const log = logTo([]) as never
  const base = { ...store, status: () => ({ synced: true, ageMs: 0, faults: [] }), unready: () => undefined, close: async () => {} }
  const { names, inventory, close } = followHostNames({ config, inventory: base, resolver: dns, clock, random: () => 0, log })
  const selector = createSelector({ config, inventory, names, opensNamespaces: true, policy: createTargetPolicy({ ownAddresses: [], ownPorts: [] }) })
  const balancer = createBalancer(config.loadBalancing, { loadOf: () => 0, random: () => 0 })
  let targets = ''
  const endpoint = followDefaultEndpoint({ config, inventory, selector, balancer, clock, log, setTargets: list => { targets = list.map(({ key, address }) => `${key} ${address}`).join(', ') } })
  const changes: InventoryChange[] = []
  const stop = inventory.onChange(more => { changes.push(...more) })
  t.teardown(() => {
    stop()
    endpoint.close()
    close()
    if (clock.pending() > 0) throw new Error('A timer is left.')
  })
  return {
    store,
    dns,
    targets: () => targets,
    changes,
    detail: () => {
      const found = selector.select({ resourceType: 'gameserver', namespace: 'games' })
      return found.ok ? 'found' : found.error.detail
    },
    pass: async ms => {
      clock.advance(ms)
      await nextTurn()
    }
  }
}

void t.test('objects with names come and go, and the default endpoint follows where their names lead', async t => {
  const store = createStore(['gameserver', 'service'])
  const dns = new FakeDns()
  dns.answers.set('a.example', at(60, '10.0.0.7'))
  const named = gameServer('a', {}, { address: 'A.example.' })
  store.put(['gameserver'], named)
  const { targets, changes, detail, pass } = follow(t, store, dns)
  t.equal(targets(), '')
  t.equal(detail(), '1 object of this type, none is usable: 1 with a host name that is not resolved.')
  await pass(0)
  await pass(20)
  t.equal(targets(), 'gameserver/games/a 10.0.0.7', 'what was there before is followed too')
  t.strictSame(changes.map(({ before, after }) => [before, after]), [[named, named]])

  dns.answers.set('a.example', at(60, '127.0.0.1', '169.254.169.254'))
  await pass(60_000)
  await pass(20)
  t.equal(targets(), '', 'rebound to where the policy forbids')
  t.equal(detail(), '1 object of this type, none is usable: 1 outside of the allowed targets.')
  dns.answers.set('a.example', at(60, '127.0.0.1', '10.0.0.8'))
  await pass(60_000)
  await pass(20)
  t.equal(targets(), 'gameserver/games/a 10.0.0.8')

  dns.answers.set('b.example', at(60, '10.0.0.9'))
  store.put(['gameserver'], gameServer('b', {}, { address: 'b.example' }))
  store.put(['gameserver'], gameServer('c', {}, { address: 'b.example' }))
  store.put(['gameserver'], gameServer('d', {}, { address: '10.0.0.4' }))
  store.put(['service'], { ...gameServer('headless'), apiVersion: 'v1', kind: 'Service', spec: { clusterIP: 'None' } })
  await pass(20)
  await pass(20)
  t.equal(targets(), 'gameserver/games/a 10.0.0.8, gameserver/games/b 10.0.0.9, gameserver/games/c 10.0.0.9, gameserver/games/d 10.0.0.4')
  const asked = (): string => dns.asked.splice(0).join(' ')
  asked()
  store.remove(['gameserver'], 'games', 'b')
  store.put(['gameserver'], gameServer('a', {}, { address: 'c.example' }))
  t.equal(asked(), 'c.example', 'a new name is asked for as its object comes')
  await pass(60_000)
  t.notMatch(asked(), 'a.example', 'a name without users is forgotten')
  store.remove(['gameserver'], 'games', 'c')
  await pass(300_000)
  t.notMatch(asked(), 'b.example')
})

// RFC 1035 §4: a question and its answers, as far as the resolver looks.
function dnsAnswer (question: Buffer, { rcode = 0, records = [] }: { rcode?: number, records?: ReadonlyArray<readonly [ttl: number, data: Buffer]> }): Buffer {
  const end = question.indexOf(0, 12) + 5
  const header = Buffer.from(question.subarray(0, 12))
  header.writeUInt16BE(0x8180 | rcode, 2)
  header.writeUInt16BE(records.length, 6)
  header.writeUInt32BE(0, 8)
  const type = question.readUInt16BE(end - 4)
  const answers = records.map(([ttl, data]) => {
    const record = Buffer.alloc(12)
    record.writeUInt16BE(0xc00c, 0)
    record.writeUInt16BE(type, 2)
    record.writeUInt16BE(1, 4)
    record.writeUInt32BE(ttl, 6)
    record.writeUInt16BE(data.length, 10)
    return Buffer.concat([record, data])
  })
  return Buffer.concat([header, question.subarray(12, end), ...answers])
}

// As long as anything: nobody answers.
const SILENCE_MS = 50

void t.test('a real resolver asks for both families and tells what does not exist from what nobody says', async t => {
  const A = 1
  const server = await openUdpPeer()
  const servers = [`127.0.0.1:${server.port}`]
  const resolver = createDnsResolver({ servers, timeoutMs: PATIENCE_MS })
  const impatient = createDnsResolver({ servers, timeoutMs: SILENCE_MS })
  t.teardown(async () => {
    resolver.close()
    impatient.close()
    await server.close()
  })
  const ipv4 = [60, Buffer.from([10, 0, 0, 1])] as const
  const ipv6 = [40, Buffer.from('20010db8000000000000000000000001', 'hex')] as const
  const served: Readonly<Record<string, readonly [a: Parameters<typeof dnsAnswer>[1] | undefined, aaaa: Parameters<typeof dnsAnswer>[1] | undefined]>> = {
    both: [{ records: [ipv4] }, { records: [ipv6] }],
    four: [{ records: [ipv4, [50, Buffer.from([10, 0, 0, 2])]] }, {}],
    half: [{ records: [ipv4] }, { rcode: 2 }],
    none: [{ rcode: 3 }, { rcode: 3 }],
    empty: [{}, {}],
    broken: [{}, { rcode: 2 }],
    silent: [undefined, undefined]
  }
  server.onDatagram(({ bytes, address, port }) => {
    const label = bytes.toString('latin1', 13, 13 + bytes[12]!).toLowerCase()
    const answer = served[label]?.[bytes.readUInt16BE(bytes.indexOf(0, 12) + 1) === A ? 0 : 1]
    if (answer !== undefined) void server.send(dnsAnswer(bytes, answer), port, address)
  })
  const table: ReadonlyArray<readonly [name: string, answer: Answer]> = [
    ['both', at(40, '10.0.0.1', '2001:db8::1')],
    ['four', at(50, '10.0.0.1', '10.0.0.2')],
    ['half', at(30, '10.0.0.1')],
    ['none', err('no_address')],
    ['empty', err('no_address')],
    ['broken', err('no_answer')]
  ]
  await Promise.all(table.map(async ([name, answer]) => { t.strictSame(await resolver.resolve(`${name}.example`), answer, name) }))
  t.strictSame(await impatient.resolve('silent.example'), err('no_answer'), 'silent')
  const pending = resolver.resolve('silent.example')
  resolver.close()
  t.strictSame(await pending, err('no_answer'), 'closing ends what is under way')
})
