// One socket with two data ports is two flows: they may be at two replicas at once, and both stay.
import { check, note } from '../../inside.js'
import { join, untilAnswered } from '../crowd.js'
import { allRight, equal } from '../expect.js'
import type { Fleet } from '../fleet.js'
import { PLAYERS, tokensFor, withPlayers, type Lab } from '../lab.js'
import { everyReplica } from '../network.js'
import { dataPorts, type DataPort } from '../places.js'

const ROUNDS = 10

export async function severalDataPorts (lab: Lab, fleet: Fleet): Promise<void> {
  await lab.balancer.spread('flow', everyReplica)
  await withPlayers(PLAYERS, async players => {
    await check('two data ports of a socket at two replicas at once: both serve it, with one token', async () => {
      allRight(await join(players, await tokensFor(fleet, players)))
      const followed = await fleet.sum('udp_director_sessions_followed_total')
      const places = new Map<string, number>()
      for (let round = 0; round < ROUNDS; round++) {
        for (const dataPort of Object.keys(dataPorts) as DataPort[]) {
          allRight(await untilAnswered(players, player => { player.say(undefined, dataPort) }))
          for (const player of players) places.set(`${player.port} ${dataPort}`, player.last!.replica)
        }
      }
      const apart = players.filter(player => places.get(`${player.port} game`) !== places.get(`${player.port} voice`)).length
      const more = await fleet.sum('udp_director_sessions_followed_total') - followed
      note(`two data ports: ${apart} of ${PLAYERS} players are at two replicas at once; ${more} sessions followed in ${ROUNDS} rounds`)
      if (apart === 0) throw new Error('nobody was at two replicas')
      equal(more, apart, 'a session that has followed its client stays: sessions that followed')
    })
  })
}
