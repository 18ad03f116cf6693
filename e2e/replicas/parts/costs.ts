// What sharing costs: a director that shares nothing beside one that does, on one host, with one engine, in turn.
import { note, skip } from '../../inside.js'
import { Serve } from '#testkit/director/serve.js'
import { pathOf } from '../../checks.js'
import { orThrow } from '../../namespaces.js'
import { quantile } from '../expect.js'
import { settingsOf, type Fleet } from '../fleet.js'
import { arenas } from '../game-servers.js'
import { whyNotLong, withPlayers, type Lab } from '../lab.js'
import { addressOf, HERE } from '../network.js'
import { Player } from '../player.js'
import { STORE_PORT } from '../places.js'
import { nowMs, pause } from '../time.js'

const ROUNDS = 500
const MANY = 2000

/** Ports of the director that shares nothing, which is on the host of the first replica. */
const lone = { game: 7877, voice: 7878, query: 9900, admin: 9990 } as const

export async function costs (lab: Lab, fleet: Fleet): Promise<void> {
  if (!lab.isLong) {
    skip('what sharing costs', whyNotLong)
    return
  }
  const alone = await Serve.open({
    dataPorts: { game: lone.game, voice: lone.voice },
    prefix: lab.network.hosts[0]!.prefix,
    host: addressOf(0),
    settings: settingsOf(lab.folder, 0, { queryPort: lone.query, adminPort: lone.admin })
  })
  try {
    await redemptions(fleet, alone)
    await processors(fleet)
    await memory()
  } finally {
    await alone.close()
  }
}

/** From the token's leaving until the game server's answer to the data right behind it; and the query before that. */
async function redemptions (fleet: Fleet, alone: Serve): Promise<void> {
  const ways = {
    'nothing shared': { from: async (server: string) => await alone.query({ labelSelector: { name: server } }), port: lone.game },
    'shared, at home': { from: async (server: string) => await fleet.query(0, server), port: undefined },
    'shared, made elsewhere': { from: async (server: string) => await fleet.query(2, server), port: undefined }
  }
  const took = new Map(Object.keys(ways).map(name => [name, { query: [] as number[], answer: [] as number[] }]))
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, { from, port }] of Object.entries(ways)) {
      const player = await Player.open()
      const startedMs = nowMs()
      const token = await from(arenas[round % arenas.length]!)
      const sentMs = nowMs()
      player.sendToken(token, addressOf(0), 'game', port)
      player.say(addressOf(0), 'game', port)
      while (player.last === undefined && nowMs() - sentMs < 1000) await pause(0)
      // The first ones warm up what has not run yet.
      if (round >= ROUNDS / 10) {
        took.get(name)!.query.push(sentMs - startedMs)
        took.get(name)!.answer.push((player.last?.atMs ?? NaN) - sentMs)
      }
      await player.close()
    }
  }
  for (const [name, { query, answer }] of took) {
    const told = (figures: readonly number[]): string => [0.5, 0.9, 0.99].map(share => `p${share * 100} ${quantile(figures, share).toFixed(2)}`).join(', ')
    note(`${name}: query ${told(query)} ms; token and data until the answer ${told(answer)} ms; ${answer.filter(Number.isNaN).length} of ${answer.length} without one`)
  }
}

/** Processor time of the replica where tokens that were made elsewhere are redeemed. */
async function processors (fleet: Fleet): Promise<void> {
  await withPlayers(50, async players => {
    const cpu = async (process: string): Promise<number> => await fleet.sum('udp_director_process_cpu_seconds_total', { process }, [0])
    const tokens: string[] = []
    for (let made = 0; made < MANY; made++) tokens.push(await fleet.query(2, arenas[made % arenas.length]!))
    const before = { control: await cpu('control'), proxy: await cpu('proxy') }
    for (const [index, token] of tokens.entries()) {
      players[index % players.length]!.sendReset(token, addressOf(0))
      // Spread, as they come from many players: not two in a turn.
      if (index % 2 === 0) await pause(1)
    }
    await pause(500)
    const after = { control: await cpu('control'), proxy: await cpu('proxy') }
    note(`processor time for each of ${MANY} tokens made elsewhere: control ${((after.control - before.control) / MANY * 1000).toFixed(2)} ms, proxy ${((after.proxy - before.proxy) / MANY * 1000).toFixed(2)} ms`)
  })
}

/** Of whole entries, as the server counts them (MEMORY USAGE). */
async function memory (): Promise<void> {
  const ask = async (...words: readonly string[]): Promise<readonly string[]> => (await orThrow(pathOf('redis-cli'), '-h', HERE, '-p', String(STORE_PORT), ...words)).trim().split('\n')
  const keys = await ask('--scan')
  const told: string[] = []
  for (const [what, pattern] of [['token', /:t:[^:]*$/], ['claim', /:t:.*:c$/], ['session', /:s:/]] as const) {
    const some = keys.filter(key => pattern.test(key)).slice(0, 20)
    const bytes = await Promise.all(some.map(async key => Number((await ask('memory', 'usage', key))[0])))
    told.push(`${what} ${quantile(bytes, 0.5).toFixed(0)} (${quantile(bytes, 1)} at most)`)
  }
  note(`the store's memory, in bytes: ${told.join(', ')}; ${keys.length.toLocaleString('en')} keys`)
}
