// What a token is good for where there are several replicas: once, at any of them, for whoever is first.
import { randomUUID } from 'node:crypto'
import { until } from '#testkit/patience.js'
import { check, note } from '../../inside.js'
import { join, untilAnswered } from '../crowd.js'
import { allRight, equal } from '../expect.js'
import type { Fleet } from '../fleet.js'
import { arenas } from '../game-servers.js'
import { PLAYERS, tokensFor, withPlayers, type Lab } from '../lab.js'
import { addressOf, everyReplica } from '../network.js'
import type { Player } from '../player.js'
import { nowMs, pause } from '../time.js'

export async function tokens (lab: Lab, fleet: Fleet): Promise<void> {
  await lab.balancer.spread('flow', everyReplica)
  await again(fleet)
  await comesBack(fleet)
  await resets(fleet)
  await races(fleet, lab.isLong ? 10_000 : 1000)
  await guesses(fleet, lab.isLong ? 1_000_000 : 50_000)
}

/** The same client repeats its token where it did not redeem it. */
async function again (fleet: Fleet): Promise<void> {
  await withPlayers(60, async players => {
    const tokens = await tokensFor(fleet, players)
    await untilAnswered(players, player => {
      player.sendToken(tokens(player), addressOf(0))
      player.say(addressOf(0))
    })
    await check('the same client with the same token at another replica: it is the same session', async () => {
      allRight(await untilAnswered(players, player => {
        player.sendToken(tokens(player), addressOf(1))
        player.say(addressOf(1))
      }))
    })
  })
}

/** A client that was moved elsewhere comes back to where it has its former session, and repeats its token, or does not. */
async function comesBack (fleet: Fleet): Promise<void> {
  await withPlayers(PLAYERS, async players => {
    const [repeating, silent] = [players.filter((_, index) => index % 2 === 0), players.filter((_, index) => index % 2 === 1)]
    const first = await tokensFor(fleet, players)
    allRight(await untilAnswered(players, player => {
      player.sendToken(first(player), addressOf(0))
      player.say(addressOf(0))
    }))
    const second = await tokensFor(fleet, players, { shift: 1, replicas: [1, 2, 0] })
    allRight(await untilAnswered(players, player => {
      player.sendReset(second(player), addressOf(1))
      player.say(addressOf(1))
    }))
    await check('a client that was moved at another replica repeats its token at the former one: its data goes to the new server', async () => {
      allRight(await untilAnswered(repeating, player => {
        player.sendToken(second(player), addressOf(0))
        player.say(addressOf(0))
      }))
    })
    await check('a client that was moved at another replica comes back without a word: the former one knows soon', async () => {
      allRight(await untilAnswered(silent, player => { player.say(addressOf(0)) }, { isEnough: player => player.last?.server === player.server }))
    })
  })
}

/** A control packet with a token made at another replica, and data right behind it. */
async function resets (fleet: Fleet): Promise<void> {
  await withPlayers(PLAYERS, async players => {
    allRight(await join(players, await tokensFor(fleet, players)))
    await check('a reset with a token made elsewhere: all move, and nothing that follows it reaches the former server', async () => {
      const former = new Map(players.map(player => [player, player.server]))
      const tokens = await tokensFor(fleet, players, { shift: 1, replicas: [1, 2, 0] })
      const outcome = await untilAnswered(players, player => {
        player.sendReset(tokens(player))
        player.say()
      })
      equal(players.filter(player => player.answers.some(({ server }) => server === former.get(player))).length, 0, 'players whose data reached the former server')
      allRight(outcome)
    })
  })
}

const PAIRS = 50
const BURST = 100

/** Two clients, at two replicas, have the same token at the same moment. */
async function races (fleet: Fleet, count: number): Promise<void> {
  await withPlayers(2 * PAIRS, async players => {
    const pairs = players.slice(0, PAIRS).map((one, index) => [one, players[PAIRS + index]!] as const)
    const at = (player: Player): string => addressOf(players.indexOf(player) < PAIRS ? 0 : 1)
    const tokens = await tokensFor(fleet, players)
    await untilAnswered(players, player => {
      player.sendToken(tokens(player), at(player))
      player.say(at(player))
    })
    const winners = [0, 0, 0]
    const startedMs = nowMs()
    for (let round = 0; round < count / PAIRS; round++) {
      for (const winning of await race(fleet, pairs, at, round)) winners[winning]!++
    }
    note(`${count.toLocaleString('en')} races for one token at two replicas: ${((nowMs() - startedMs) / 1000).toFixed(1)} s`)
    await check(`one token at two replicas at once: exactly one wins, ${count.toLocaleString('en')} of ${count.toLocaleString('en')}`, async () => {
      await Promise.resolve()
      if (winners[1] !== count) throw new Error(`nobody won ${winners[0]}, one ${winners[1]}, both ${winners[2]}`)
    })
  })
}

/** How many of each pair won: the token is for a server that neither of them has a session with, and who loses stays where they are. */
async function race (fleet: Fleet, pairs: ReadonlyArray<readonly [Player, Player]>, at: (player: Player) => string, round: number): Promise<readonly number[]> {
  const prizes = pairs.map(pair => arenas.find(arena => pair.every(player => player.last!.server !== arena))!)
  const made = await Promise.all(prizes.map(async (prize, index) => await fleet.query(everyReplica[(index + round) % everyReplica.length]!, prize)))
  // Who is first by a hair takes turns.
  for (const [index, pair] of pairs.entries()) for (const player of (index + round) % 2 === 0 ? pair : pair.toReversed()) player.sendReset(made[index]!, at(player))
  await untilAnswered(pairs.flat(), player => { player.say(at(player)) })
  return pairs.map((pair, index) => pair.filter(player => player.last?.server === prizes[index]).length)
}

/** Control packets with random UUIDs: none is a token, and the store is not asked. */
async function guesses (fleet: Fleet, count: number): Promise<void> {
  await check(`${count.toLocaleString('en')} random UUIDs: the store is asked once at most`, async () => {
    await withPlayers(1, async ([guesser]) => {
      const counted = async (): Promise<readonly [forged: number, asked: number]> => [
        await fleet.sum('udp_director_packets_dropped_total', { reason: 'token_forged' }, [0]),
        await fleet.sum('udp_director_store_requests_total', { op: 'claim' })
      ]
      const [forgedBefore, askedBefore] = await counted()
      const startedMs = nowMs()
      // Every few ms as many as the machine carries, so that next to none is lost on the way.
      for (let sent = 0; sent < count; sent += BURST) {
        for (let burst = 0; burst < BURST; burst++) guesser!.sendReset(randomUUID(), addressOf(0))
        await pause(1)
      }
      const tookS = (nowMs() - startedMs) / 1000
      await until(async () => (await counted())[0] - forgedBefore > count * 0.95, { what: 'most of the UUIDs', pollMs: 100 })
      const [forged, asked] = await counted()
      note(`${(forged - forgedBefore).toLocaleString('en')} of ${count.toLocaleString('en')} random UUIDs were counted as forged, sent in ${tookS.toFixed(1)} s; the store was asked about ${asked - askedBefore}`)
      if (asked - askedBefore > 1) throw new Error(`it was asked ${asked - askedBefore} times`)
    })
  })
}
