// The proxy killed while clients send, alone and together with control: nobody does anything about it, and everybody goes
// on. What is lost is what was sent while nobody was there: one gap in each session, and nothing out of order.
import t, { type Test } from 'tap'
import type { Sample } from '#rpc/contract.js'
import { Pair } from '#testkit/director/pair.js'
import { sumOf } from '#testkit/director/samples.js'
import { forTest } from '#testkit/for-test.js'
import { openUdpPeer, type UdpPeer } from '#testkit/udp-peer.js'

const CLIENTS = 12
const SERVERS = 3
const PERIOD_MS = 10

// So many of each client may be unheard of: together less than the smallest receive buffer that a system grants, so that no
// process which waits for the processor makes a second gap.
const WINDOW = 10

const cases = {
  'the proxy, engine dgram': { config: 'engine: dgram', kill: ['proxy'] },
  'the proxy, two workers': { config: 'engine: batch\nworkers: 2', kill: ['proxy'] },
  'control and proxy': { config: 'engine: batch\nworkers: 1', kill: ['control', 'proxy'] }
} as const

async function peers (t: Test, count: number): Promise<readonly UdpPeer[]> {
  return await Promise.all(Array.from({ length: count }, async () => await forTest(t, openUdpPeer())))
}

/** Where the numbers go up by more than one, and how many are missing there; a number that does not go up is a fault. */
function gapsOf (numbers: readonly number[]): readonly number[] {
  return numbers.flatMap((number, index) => {
    const step = index === 0 ? number + 1 : number - numbers[index - 1]!
    if (step <= 0) throw new Error(`${number} came after ${numbers[index - 1]}`)
    return step === 1 ? [] : [step - 1]
  })
}

for (const [name, { config, kill }] of Object.entries(cases)) {
  void t.test(`killed under traffic: ${name}`, async t => {
    const [servers, clients] = [await peers(t, SERVERS), await peers(t, CLIENTS)]
    const pair = await forTest(t, Pair.open({ config }))
    for (const server of servers) server.onDatagram(({ bytes, port, address }) => { void server.send(bytes, port, address) })
    const serverOf = (client: number): UdpPeer => servers[client % SERVERS]!
    for (const [index, client] of clients.entries()) {
      await client.send(await pair.tokenFor({ ports: { game: serverOf(index).port } }), pair.dataPorts['game']!)
    }
    const port = pair.dataPorts['game']!
    let sent = 0
    const heard = (client: number): ReadonlyArray<readonly [number: number, port: number]> => serverOf(client).received
      .map(({ bytes, port }) => [bytes.toString().split(' ').map(Number), port] as const)
      .flatMap(([[from, number], port]) => from === client ? [[number!, port] as const] : [])
    const lastHeard = (client: number): number => heard(client).at(-1)?.[0] ?? -1
    const everyoneIsHeard = async (from: number): Promise<void> => { await pair.until(() => clients.every((_, client) => lastHeard(client) >= from)) }
    const pending: Array<Promise<void>> = []
    // What was sent before is lost, or on its way: nobody waits for it.
    let lostBefore = 0
    // eslint-disable-next-line no-restricted-syntax -- a pace, which nothing is measured by
    const timer = setInterval(() => {
      if (clients.some((_, client) => sent - Math.max(lastHeard(client) + 1, lostBefore) >= WINDOW)) return
      for (const [index, client] of clients.entries()) pending.push(client.send(`${index} ${sent}`, port))
      sent++
    }, PERIOD_MS)
    t.teardown(() => { clearInterval(timer) })

    await everyoneIsHeard(20)
    for (const name of kill) pair[name].kill('SIGKILL')
    if (kill.length === 1) await pair.restartProxy()
    else await pair.restartBoth()
    lostBefore = sent
    await everyoneIsHeard(sent + 20)
    clearInterval(timer)
    await Promise.all(pending)
    const replied = (client: number): number[] => clients[client]!.received.map(({ bytes }) => Number(bytes.toString().split(' ')[1]))
    await pair.until(() => clients.every((_, client) => lastHeard(client) === sent - 1 && replied(client).at(-1) === sent - 1))

    t.equal(pair.dataPorts['game'], port)
    for (const client of clients.keys()) {
      const numbers = heard(client).map(([number]) => number)
      t.ok(gapsOf(numbers).length <= 1, `client ${client}: one gap at most, ${gapsOf(numbers).join(', ')} of ${sent}`)
      t.ok(gapsOf(replied(client)).length <= 1, `client ${client}: and in its replies ${gapsOf(replied(client)).join(', ')}`)
      t.equal(new Set(heard(client).map(([, port]) => port)).size, 1, 'its server sees one address of it')
      t.ok(clients[client]!.received.every(({ bytes, port: from }) => from === port && bytes.toString().startsWith(`${client} `)), 'what it gets is its own, from the data port')
    }
    let samples: readonly Sample[] = []
    const total = (metric: string, labels: Readonly<Record<string, string>>): number => sumOf(samples, `udp_director_${metric}`, labels)
    const toTarget = { direction: 'to_target' }
    // A reply may be here before the datagram that it answers has been counted.
    await pair.until(async () => {
      samples = await pair.samples()
      return total('packets_received_total', toTarget) === total('packets_proxied_total', toTarget) + total('packets_consumed_total', {}) + total('packets_dropped_total', toTarget)
    })
    t.pass('the ledger of both lives balances')
    const reasons = samples.filter(({ name, labels, value }) => name === 'udp_director_packets_dropped_total' && labels['direction'] === 'to_target' && value > 0).map(({ labels }) => labels['reason'])
    t.same(reasons.filter(reason => reason !== 'restart'), [], 'and nothing was dropped but by the kill')
    t.same([total('sessions_active', {}), total('sessions_restored', {})], [CLIENTS, CLIENTS])
  })
}
