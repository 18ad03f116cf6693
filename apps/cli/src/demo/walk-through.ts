// The demo without a person: every promise of the director is kept once, and looked at from all sides. It counts on a
// director that nobody else uses.
import type { Clock } from '#core/clock.js'
import { controlPacket, DEFAULT_MAGIC_HEX, magicFromHex } from '#wire/control-packet.js'
import { isToken, type Token } from '#wire/token.js'
import { metricValue } from './metrics-text.js'
import type { Demo } from './open-demo.js'
import { expectEqual, StepFailure, type Step } from './step-report.js'
import { openUdpClient, type UdpClient } from './udp-client.js'
import { NAMESPACE, RESOURCE_TYPE, type GameServerName } from './world.js'

/** How long an answer over UDP may take, in ms. */
const ANSWER_DEADLINE_MS = 2000

type Parts = Pick<Demo, 'http' | 'ports' | 'servers'>

/** Does every step; throws at the first that fails, after `step` has reported it. */
export async function walkThrough (demo: Parts, clock: Clock, step: Step): Promise<void> {
  const [player, stranger, thief] = await Promise.all([1, 2, 3].map(async () => await openUdpClient(demo.ports.data, clock))) as [UdpClient, UdpClient, UdpClient]
  try {
    await walk({ demo, step, player, stranger, thief })
  } finally {
    for (const client of [player, stranger, thief]) client.close()
  }
}

interface Cast {
  readonly demo: Parts
  readonly step: Step
  /** Plays with a token. */
  readonly player: UdpClient
  /** Has none. */
  readonly stranger: UdpClient
  /** Has one of the player's, used already. */
  readonly thief: UdpClient
}

async function walk ({ demo, step, player, stranger, thief }: Cast): Promise<void> {
  await step('The director is up: three game servers, a default endpoint', async () => { await checkHealth(demo) })
  const first = await step('A query for an Allocated server with map de_dust2 gets a token', async () => await ask(demo, 'de_dust2'))
  await step('The token, then data: arena-1 answers, and never saw the token', async () => {
    await player.send(first)
    await checkAnswer(player, 'hello', 'arena-1')
    expectEqual('what arena-1 received', receivedBy(demo, 'arena-1'), ['hello'])
  })
  await step('A client without a token gets the default endpoint', async () => {
    await checkAnswer(stranger, 'anyone there?', 'lobby')
  })
  const sessionId = await step('The session list names the player and arena-1', async () => await sessionOn(demo, player, 'arena-1'))
  const second = await step('A query for map cs_office gets another token', async () => {
    const token = await ask(demo, 'cs_office')
    if (token === first) throw new StepFailure('the token is the one of the first query')
    return token
  })
  await step('A reset moves the live session: arena-2 on the same socket', async () => {
    await player.send(resetPacket(second))
    await checkAnswer(player, 'hello again', 'arena-2')
    expectEqual('the id of the session', await sessionOn(demo, player, 'arena-2'), sessionId)
  })
  await step('The token sent once more is swallowed, and the session goes on', async () => {
    await player.send(resetPacket(second))
    await checkAnswer(player, 'still here', 'arena-2')
    expectEqual('what arena-2 received', receivedBy(demo, 'arena-2'), ['hello again', 'still here'])
  })
  await step('A stolen token is refused: its thief gets the default endpoint', async () => {
    await thief.send(resetPacket(second))
    await checkAnswer(thief, 'let me in', 'lobby')
    await checkAnswer(player, 'not moved', 'arena-2')
  })
  await step('The session list shows three clients, each on its server', async () => {
    await checkSessions(demo, [[player, 'arena-2'], [stranger, 'lobby'], [thief, 'lobby']])
  })
  await step('Every metric moved as far as it should', async () => { await checkMetrics(demo) })
}

async function checkHealth ({ http }: Parts): Promise<void> {
  const { status, body } = await http.health()
  expectEqual('status', status, 200)
  expectEqual('health', body.status, 'ok')
  expectEqual('game servers in the inventory', body.inventory.objects[RESOURCE_TYPE], 3)
  expectEqual('targets of the default endpoint', body.defaultEndpoint.targets, 1)
}

async function ask ({ http, ports }: Parts, map: string): Promise<Token> {
  const { status, body } = await http.query({
    resourceType: RESOURCE_TYPE,
    namespace: NAMESPACE,
    labelSelector: { map },
    statusQuery: { jsonPath: 'status.state', expectedValues: ['Allocated'] }
  })
  if (status !== 200) throw new StepFailure(`expected 200, got ${status}: ${JSON.stringify(body)}`)
  expectEqual('data ports', body.dataPorts.map(({ port }) => port), [ports.data])
  if (!isToken(body.token)) throw new StepFailure(`not a token: ${JSON.stringify(body.token)}`)
  return body.token
}

async function checkAnswer (client: UdpClient, text: string, server: GameServerName): Promise<void> {
  await client.send(text)
  expectEqual(`the answer to "${text}"`, await client.receive(ANSWER_DEADLINE_MS), `${server}: ${text}`)
}

function receivedBy ({ servers }: Parts, name: GameServerName): readonly string[] | undefined {
  return servers.find(server => server.name === name)?.received
}

function resetPacket (token: Token): Uint8Array {
  const magic = magicFromHex(DEFAULT_MAGIC_HEX)
  if (!magic.ok) throw new StepFailure(`the default magic: ${magic.error}`)
  return controlPacket(magic.value, token)
}

const keyOf = (server: GameServerName): string => `${RESOURCE_TYPE}/${NAMESPACE}/${server}`

async function sessionOn ({ http }: Parts, client: UdpClient, server: GameServerName): Promise<string | undefined> {
  const session = (await http.sessions()).find(candidate => candidate.client === client.address)
  expectEqual(`the target of ${client.address}`, session?.target.key, keyOf(server))
  return session?.id
}

async function checkSessions ({ http }: Parts, expected: ReadonlyArray<readonly [UdpClient, GameServerName]>): Promise<void> {
  const sessions = (await http.sessions()).map(({ client, target }) => `${client} on ${target.key}`)
  expectEqual('sessions', sessions.sort(), expected.map(([client, server]) => `${client.address} on ${keyOf(server)}`).sort())
}

/** What the steps before must have counted. */
const expectedMetrics: ReadonlyArray<readonly [string, Readonly<Record<string, string>>, number]> = [
  ['udp_director_queries_total', {}, 2],
  ['udp_director_queries_success', {}, 2],
  ['udp_director_tokens_redeemed_total', {}, 2],
  ['udp_director_sessions_active', {}, 3],
  ['udp_director_sessions_created_total', { origin: 'token' }, 1],
  ['udp_director_sessions_created_total', { origin: 'default' }, 2],
  ['udp_director_sessions_reset_total', { origin: 'token' }, 1],
  ['udp_director_packets_consumed_total', { kind: 'retransmit' }, 1],
  ['udp_director_packets_dropped_total', {}, 1],
  ['udp_director_packets_dropped_total', { reason: 'token_consumed' }, 1],
  ['udp_director_packets_proxied_total', { direction: 'to_target' }, 6],
  ['udp_director_packets_proxied_total', { direction: 'to_client' }, 6]
]

async function checkMetrics ({ http }: Parts): Promise<void> {
  const text = await http.metrics()
  for (const [name, labels, value] of expectedMetrics) {
    expectEqual([name, ...Object.values(labels)].join(' '), metricValue(text, name, labels), value)
  }
}
