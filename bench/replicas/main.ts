// `npm run bench:replicas`: what a shared store costs a query, and the redemption of a token at another director. A director alone and two
// that share a store on this machine are up at the same time and measured in turn, so that what else the machine does meets all.
import { performance } from 'node:perf_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Pool } from 'undici'
import { ExitCode } from '#core/exit-code.js'
import { Pair } from '#testkit/director/pair.js'
import { openFolder } from '#testkit/folder.js'
import { claimPort } from '#testkit/ports.js'
import { gameServerYaml } from '#testkit/objects/game-server.js'
import { endOnSignal, startChild } from '#testkit/processes/child.js'
import { serverProgram } from '#testkit/store/store-server.js'
import { openUdpPeer, type UdpPeer } from '#testkit/udp-peer.js'
import { percentile } from '../statistics.js'
import { machine, markdownTable } from '../table.js'

const ROUNDS = 10
const PER_ROUND = 100
/** Before anything counts: code is compiled, connections are open. */
const WARM_UP = 200

/** Within what docs/protocol.md says of clients. */
const REPEAT_MS = 300

const query = JSON.stringify({ resourceType: 'gameserver', namespace: 'games' })

interface Side {
  readonly name: string
  readonly minter: Pair
  readonly redeemer: Pair
  readonly http: Pool
  readonly queryMs: number[]
  readonly redeemMs: number[]
}

if (serverProgram === undefined) {
  process.stderr.write('redis-server or valkey-server must be on the PATH, or be named by STORE_SERVER.\n')
  process.exit(ExitCode.usage)
}
endOnSignal()
await run(serverProgram)

async function run (program: string): Promise<void> {
  const server = await openUdpPeer()
  const folder = openFolder()
  const { port } = await claimPort()
  const store = startChild('store', program, ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder.path, '--save', '', '--appendonly', 'no'])
  const open = async (config: string): Promise<Pair> => await Pair.open({ config: `namespaces: [games]\nlimits: {maxTokensPerCaller: 1000000, queriesPerSecond: 0, maxSessionsPerPrefix: 100000, asksPerSecond: 1000000, asksPerPrefix: 1000000}\n${config}`, inventory: { 'd.yaml': gameServerYaml('d', { game: server.port, voice: server.port }) }, logLevel: 'info' })
  const shared = `sharedState: {urls: ["redis://127.0.0.1:${port}"]}`
  const pairs = await Promise.all([open(''), open(shared), open(shared)])
  const [alone, a, b] = pairs
  const side = (name: string, minter: Pair, redeemer: Pair): Side => ({ name, minter, redeemer, http: new Pool(minter.queryUrl, { connections: 1, pipelining: 1 }), queryMs: [], redeemMs: [] })
  const sides = [side('alone', alone, alone), side('shared, same director', a, a), side('shared, another director', a, b)]
  try {
    for (const each of sides) await measure(each, server, WARM_UP)
    for (const { queryMs, redeemMs } of sides) queryMs.length = redeemMs.length = 0
    const before = await Promise.all(pairs.map(cpuOf))
    for (let round = 0; round < ROUNDS; round++) {
      for (const each of round % 2 === 0 ? sides : sides.toReversed()) await measure(each, server, PER_ROUND)
      process.stderr.write(`round ${round + 1} of ${ROUNDS}\n`)
    }
    const after = await Promise.all(pairs.map(cpuOf))
    report(sides, after.map((cpu, at) => cpu - before[at]!))
  } finally {
    await Promise.all(sides.map(async ({ http }) => { await http.close() }))
    await Promise.all(pairs.map(async pair => { await pair.close() }))
    await store.end()
    await server.close()
    folder.close()
  }
}

async function measure ({ http, redeemer, queryMs, redeemMs }: Side, server: UdpPeer, count: number): Promise<void> {
  const port = redeemer.dataPorts['game']!
  for (let at = 0; at < count; at++) {
    const askedMs = performance.now()
    const { body } = await http.request({ method: 'POST', path: '/query', headers: { 'content-type': 'application/json' }, body: query })
    const { token } = await body.json() as { token: string }
    queryMs.push(performance.now() - askedMs)
    const client = await openUdpPeer()
    const sentMs = performance.now()
    const data = token.slice(0, 8)
    // Back to back, and again if there is no answer, as a client does it: data waits for its token.
    for (let tries = 0; server.received.at(-1)?.bytes.toString() !== data;) {
      if (performance.now() - sentMs >= tries * REPEAT_MS) {
        tries++
        await Promise.all([client.send(token, port), client.send(data, port)])
      }
      await nextTurn()
    }
    redeemMs.push(performance.now() - sentMs)
    await client.close()
  }
}

/** Processor time of a control so far, in ms. */
async function cpuOf (pair: Pair): Promise<number> {
  const [, seconds = 'NaN'] = /^udp_director_process_cpu_seconds_total\{process="control"\} (\S+)$/m.exec(await pair.metrics()) ?? []
  return Number(seconds) * 1000
}

function report (sides: readonly Side[], [alone, minting, redeeming]: readonly number[]): void {
  const cells = ({ name, queryMs, redeemMs }: Side): string[] => [name, ...[queryMs, redeemMs].flatMap(values => [50, 90, 99].map(part => percentile(values.toSorted((one, other) => one - other), part).toFixed(2)))]
  const count = ROUNDS * PER_ROUND
  const perOne = (ms: number, times: number): string => (ms / times).toFixed(2)
  process.stdout.write([
    machine(new Date()),
    `${count} of each, in turn; times in ms`,
    '',
    markdownTable(['', 'query p50', 'p90', 'p99', 'token and data to the server p50', 'p90', 'p99'], sides.map(cells)),
    '',
    `control, processor time in ms: alone ${perOne(alone!, count)} for each query and redemption; shared, minting ${perOne(minting!, 2 * count)} for each query, with the asks of half of them; shared, redeeming ${perOne(redeeming!, count)} for each ask`,
    ''
  ].join('\n'))
}
