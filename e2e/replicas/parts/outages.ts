// The store is away: killed, silent, or failing over. What clients notice is what docs/scaling.md says.
import { check, note } from '../../inside.js'
import { join, untilAnswered, type Outcome } from '../crowd.js'
import { allRight, equal } from '../expect.js'
import type { Fleet } from '../fleet.js'
import { tokensFor, withFleet, withPlayers, type Lab } from '../lab.js'
import { addressOf, everyReplica } from '../network.js'
import { STORE_PORT } from '../places.js'
import type { Player } from '../player.js'
import { openWatched, SENTINEL_NAME, Store } from '../store.js'
import { nowMs } from '../time.js'
import { until } from '#testkit/patience.js'

const SOME = 30

type Tokens = (player: Player) => string

/** Players redeem at the replica that made their token (`home`) or at the one after it. */
async function redeem (players: readonly Player[], tokens: Tokens, replica: number, tries?: number): Promise<Outcome> {
  return await untilAnswered(players, player => {
    player.sendToken(tokens(player), addressOf(replica))
    player.say(addressOf(replica))
  }, { isEnough: player => player.last?.server === player.server, ...tries === undefined ? {} : { tries } })
}

async function speak (players: readonly Player[], replica: number): Promise<Outcome> {
  return await untilAnswered(players, player => { player.say(addressOf(replica)) })
}

async function storeIs (fleet: Fleet, up: 0 | 1): Promise<void> {
  await until(async () => await fleet.sum('udp_director_store_up') === up * everyReplica.length, { what: `the store ${up === 1 ? 'up' : 'down'} for all replicas`, pollMs: 20 })
}

/** One server that is killed, and one that is paused. */
export async function outages (lab: Lab): Promise<void> {
  const store = await Store.open(lab.folder, STORE_PORT + 1)
  await withFleet(lab, { sharedState: { provider: 'valkey', urls: [store.url] } }, async fleet => {
    await storeIs(fleet, 1)
    await killed(fleet, store)
    await comesBackEmpty(fleet, store)
    await paused(fleet, store)
  })
  await store.close()
}

async function killed (fleet: Fleet, store: Store): Promise<void> {
  await withPlayers(4 * SOME, async all => {
    const [established, home, away, late] = [0, 1, 2, 3].map(part => all.slice(part * SOME, (part + 1) * SOME)) as [Player[], Player[], Player[], Player[]]
    allRight(await redeem(established, await tokensFor(fleet, established, { replicas: [0] }), 0))
    const before = { home: await tokensFor(fleet, home, { replicas: [0] }), away: await tokensFor(fleet, away, { replicas: [0] }) }
    await store.kill()
    await storeIs(fleet, 0)
    await check('the store is killed: sessions go on', async () => { allRight(await speak(established, 0)) })
    await check('the store is away: tokens work at the replica that made them', async () => { allRight(await redeem(home, before.home, 0)) })
    await check('the store is away: a token of another replica waits, and nobody is sent elsewhere for it', async () => { await wait(fleet, away, before.away) })
    let queried: Tokens | undefined
    await check('the store is away: queries are answered', async () => { queried = await tokensFor(fleet, late, { replicas: [0] }) })
    await store.restart()
    const backMs = nowMs()
    await storeIs(fleet, 1)
    note(`store restarted: all replicas know after ${(nowMs() - backMs).toFixed(0)} ms`)
    await check('the store is back, empty: tokens from before and from meanwhile work elsewhere', async () => {
      allRight(await redeem(away, before.away, 1))
      allRight(await redeem(late, queried!, 2))
    })
  })
}

/** Tokens alone, without data behind them: they are dropped as late, and no session comes of them. */
async function wait (fleet: Fleet, players: readonly Player[], tokens: Tokens): Promise<void> {
  const counted = async (): Promise<readonly [late: number, sessions: number]> => [
    await fleet.sum('udp_director_packets_dropped_total', { reason: 'store_late' }, [1]),
    await fleet.sum('udp_director_sessions_active', {}, [1])
  ]
  const [lateBefore, sessionsBefore] = await counted()
  for (const player of players) player.sendToken(tokens(player), addressOf(1))
  await until(async () => (await counted())[0] - lateBefore === players.length, { what: 'every token late', pollMs: 20 })
  equal((await counted())[1] - sessionsBefore, 0, 'sessions that came of it')
}

async function comesBackEmpty (fleet: Fleet, store: Store): Promise<void> {
  await withPlayers(3 * SOME, async all => {
    const [owners, thieves, others] = [0, 1, 2].map(part => all.slice(part * SOME, (part + 1) * SOME)) as [Player[], Player[], Player[]]
    const tokens = await tokensFor(fleet, owners, { replicas: [0] })
    // Redeemed elsewhere, so that only the claim in the store and what the replicas remember of it say so.
    allRight(await redeem(owners, tokens, 1))
    allRight(await redeem(others, await tokensFor(fleet, others, { replicas: [0] }), 0))
    await store.kill()
    await storeIs(fleet, 0)
    await store.restart()
    await storeIs(fleet, 1)
    await check('the store comes back empty: no token is redeemed twice', async () => {
      const stolen = new Map(thieves.map((thief, index) => [thief, tokens(owners[index]!)]))
      for (const [index, thief] of thieves.entries()) thief.server = owners[index]!.server
      const { right } = await redeem(thieves, thief => stolen.get(thief)!, 2, 3)
      equal(right.length, 0, `of ${SOME} tokens`)
    })
    await check('the store comes back empty: a repeated token is still its owner\'s', async () => {
      // Without data: that would be followed, whatever becomes of the token.
      const before = await fleet.sum('udp_director_sessions_active', {}, [2])
      await until(async () => {
        for (const owner of owners) owner.sendReset(tokens(owner), addressOf(2))
        return await fleet.sum('udp_director_sessions_active', {}, [2]) - before === SOME
      }, { what: 'a session for each of them', pollMs: 250 })
    })
    await check('the store comes back empty: sessions follow their clients all the same', async () => { allRight(await speak(others, 2)) })
  })
}

async function paused (fleet: Fleet, store: Store): Promise<void> {
  await withPlayers(2 * SOME, async all => {
    const [established, waiting] = [all.slice(0, SOME), all.slice(SOME)]
    allRight(await redeem(established, await tokensFor(fleet, established, { replicas: [0] }), 0))
    const tokens = await tokensFor(fleet, waiting, { replicas: [0] })
    store.pause()
    await check('the store stops answering: sessions go on', async () => { allRight(await speak(established, 0)) })
    await check('the store stops answering: tokens of other replicas wait, and nobody is sent elsewhere', async () => {
      await wait(fleet, waiting, tokens)
    })
    store.resume()
    await storeIs(fleet, 1)
    await check('the store answers again: those who waited are served', async () => { allRight(await redeem(waiting, tokens, 1)) })
  })
}

/** Three Sentinels promote the store's replica when its primary is killed. */
export async function failOver (lab: Lab): Promise<void> {
  const watched = await openWatched(lab.folder, STORE_PORT + 10)
  try {
    await withFleet(lab, { sharedState: { provider: 'valkey', mode: 'sentinel', urls: watched.urls, sentinelName: SENTINEL_NAME, onUnavailable: 'refuse' } }, async fleet => {
      await storeIs(fleet, 1)
      await withPlayers(4 * SOME, async all => {
        const [owners, thieves, waiting, late] = [0, 1, 2, 3].map(part => all.slice(part * SOME, (part + 1) * SOME)) as [Player[], Player[], Player[], Player[]]
        const redeemed = await tokensFor(fleet, owners, { replicas: [0] })
        allRight(await redeem(owners, redeemed, 1))
        const tokens = await tokensFor(fleet, waiting, { replicas: [0] })
        const killedMs = nowMs()
        await watched.primary.kill()
        await check('the primary is killed: queries are refused with 503 and Retry-After, if the configuration says so', async () => {
          await until(async () => {
            const { status, headers } = await fleet.at(0).public('POST', '/query', { resourceType: 'gameserver', namespace: 'games' })
            return status === 503 && headers.get('retry-after') !== null
          }, { what: 'a refusal', pollMs: 20 })
        })
        await check('the primary is killed: Sentinel promotes its replica, and tokens work again everywhere', async () => {
          await storeIs(fleet, 1)
          note(`fail-over by Sentinel: ${((nowMs() - killedMs) / 1000).toFixed(1)} s from the kill until all replicas have a store`)
          allRight(await redeem(waiting, tokens, 2))
          allRight(await join(late, await tokensFor(fleet, late)))
        })
        await check('after the fail-over no token is redeemed twice, and sessions follow', async () => {
          const stolen = new Map(thieves.map((thief, index) => [thief, redeemed(owners[index]!)]))
          for (const [index, thief] of thieves.entries()) thief.server = owners[index]!.server
          equal((await redeem(thieves, thief => stolen.get(thief)!, 2, 3)).right.length, 0, `of ${SOME} tokens`)
          allRight(await speak(owners, 2))
        })
      })
    })
  } finally {
    await watched.close()
  }
}
