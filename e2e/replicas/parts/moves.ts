// The balancer sends flows to other replicas, or a replica is lost: sessions go on.
import { check, note } from '../../inside.js'
import { join, stream, untilAnswered, type Outcome } from '../crowd.js'
import { allRight, equal, quantile } from '../expect.js'
import type { Fleet } from '../fleet.js'
import { PLAYERS, tokensFor, withPlayers, type Lab } from '../lab.js'
import { everyReplica } from '../network.js'
import type { Player } from '../player.js'
import { nowMs, pause } from '../time.js'

const PERIOD_MS = 50
/** How long players say something before and after what happens. */
const STREAM_MS = 1000

export async function moves (lab: Lab, fleet: Fleet): Promise<void> {
  await lab.balancer.spread('flow', everyReplica)
  await withPlayers(PLAYERS, async players => {
    const tokens = await tokensFor(fleet, players)
    await check(`${PLAYERS} of ${PLAYERS} tokens reach their game server, whichever replica gets them`, async () => { allRight(await join(players, tokens)) })
    await check('the balancer forgets its flows and draws targets anew: all sessions go on', async () => {
      await during(players, 'flows forgotten, targets by chance', async () => {
        await lab.balancer.spread('random', everyReplica)
        await lab.balancer.flush()
      })
      allRight(await speak(players))
    })
    await check('a replica gets no flows any more: all sessions go on', async () => {
      await during(players, 'three targets become two', async () => {
        await lab.balancer.spread('flow', [0, 1])
        await lab.balancer.flush()
      })
      allRight(await speak(players))
    })
    await lab.balancer.spread('flow', everyReplica)
    await lab.balancer.flush()
    await speak(players)
    await check('a replica is killed: all its sessions go on elsewhere', async () => { await kill(lab, fleet, players) })
  })
  await fleet.restart(2)
  await lab.balancer.spread('flow', everyReplica)
}

async function kill (lab: Lab, fleet: Fleet, players: readonly Player[]): Promise<void> {
  const its = players.filter(player => player.last?.replica === 2)
  let toldMs = 0
  let tookMs = 0
  await during(players, 'replica killed', async () => {
    await fleet.kill(2)
    await lab.balancer.spread('flow', [0, 1])
    toldMs = nowMs()
    await lab.balancer.forget(2)
    tookMs = nowMs() - toldMs
  })
  const waits = its.map(player => player.answers.find(({ atMs, replica }) => atMs > toldMs && replica !== 2)).map(answer => (answer?.atMs ?? NaN) - toldMs)
  note(`replica killed: ${its.length} sessions taken over; the balancer was told in ${tookMs.toFixed(0)} ms; first answer from when that began, at one datagram each ${PERIOD_MS} ms, p50 ${quantile(waits, 0.5).toFixed(0)} ms, p99 ${quantile(waits, 0.99).toFixed(0)} ms`)
  if (its.length === 0) throw new Error('it had no session')
  equal(waits.filter(wait => Number.isNaN(wait)).length, 0, 'sessions that were not taken over')
  allRight(await speak(players))
}

async function speak (players: readonly Player[]): Promise<Outcome> {
  return await untilAnswered(players, player => { player.say() })
}

/** Everybody speaks all the time while it happens; says what that cost. */
async function during (players: readonly Player[], what: string, happens: () => Promise<void>): Promise<void> {
  const before = new Map(players.map(player => [player, player.last?.replica]))
  const speaking = stream(players, PERIOD_MS)
  await pause(STREAM_MS)
  await happens()
  await pause(STREAM_MS)
  const { sent, lost } = await speaking.end()
  const moved = players.filter(player => player.last?.replica !== before.get(player)).length
  note(`${what}: ${moved} of ${players.length} players are at another replica; ${lost} of ${sent.toLocaleString('en')} datagrams without an answer`)
}
