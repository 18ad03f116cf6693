// The checks of suites/addresses.ts, run in a network namespace of their own.
import { endAll } from '#testkit/processes/child.js'
import { check } from '../inside.js'
import { openNetwork, theirs } from './network.js'
import { openPlayer, type Player } from './player.js'
import { startDirectorThere } from './director-there.js'

/** More than there are workers, so that most of these have some. */
const PLAYERS = 8
const BURST = 40

type Mode = readonly [name: string, config: object]
const modes: readonly Mode[] = [
  ['batch, one worker, every address', { engine: 'batch', workers: 1 }],
  ['batch, four workers, every address', { engine: 'batch', workers: 4 }],
  ['batch, one worker, every IPv4 address', { engine: 'batch', workers: 1, dataBindAddress: '0.0.0.0' }],
  ['batch, four workers, a list of addresses', { engine: 'batch', workers: 4, dataBindAddress: theirs }],
  ['dgram, a list of addresses', { engine: 'dgram', dataBindAddress: theirs }]
]

const network = await openNetwork()
for (const [name, config] of modes) {
  const director = await startDirectorThere(network, config)
  const reachable = theirs.filter(address => !(name.includes('IPv4') && address.includes(':')))
  const players = (await Promise.all(reachable.map(async address => await Promise.all(Array.from({ length: PLAYERS }, async () => await openPlayer(director, address)))))).flat()
  await check(`${name}: replies come from the address the player sent to, of ${reachable.length}`, async () => { await each(players, async player => { await player.join('one'); await player.burst(BURST) }) })
  await check(`${name}: after a reset too`, async () => { await each(players, async player => { await player.join('two'); await player.burst(BURST) }) })
  await check(`${name}: a server speaks first after the proxy was killed`, async () => {
    await director.restartProxy()
    await each(players, async player => { await player.hearFirst() })
    await each(players, async player => { await player.burst(BURST) })
  })
  if (name.includes('every')) {
    await check(`${name}: what came by broadcast is answered from an address`, async () => {
      const player = await openPlayer(director, '10.9.0.255', ['10.9.0.1', '10.9.0.2'])
      await player.join('one')
      await player.burst(2)
      await player.close()
    })
  }
  if (name.startsWith('batch, four workers, every')) {
    await check(`${name}: an address that is added while it runs`, async () => {
      await network.add('10.9.0.3')
      const player = await openPlayer(director, '10.9.0.3')
      await player.join('one')
      await player.burst(BURST)
      await player.close()
    })
  }
  await each(players, async player => { await player.close() })
  await director.close()
}
await endAll()
process.exit(0)

async function each (players: readonly Player[], body: (player: Player) => Promise<void>): Promise<void> {
  await Promise.all(players.map(body))
}
