// The checks of suites/addresses.ts, run in a network namespace of their own. Prints a line of JSON for each: its name and,
// if it failed, why.
import { mkdtempSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from '../checks.js'
import { endAll } from '../children.js'
import { openNetwork, theirs } from './network.js'
import { openPlayer, type Player } from './player.js'
import { startDirectorThere, type DirectorThere } from './director-there.js'

const [folder = '.'] = process.argv.slice(2)
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

async function check (name: string, body: () => Promise<void>): Promise<void> {
  let fault: string | undefined
  try {
    await body()
  } catch (error) {
    fault = String(error)
  }
  process.stdout.write(`${JSON.stringify({ name, fault })}\n`)
}

const network = await openNetwork()
for (const [name, config] of modes) {
  const director = await startDirectorThere(network, mkdtempSync(join(folder, 'director-')), config)
  const reachable = theirs.filter(address => !(name.includes('IPv4') && address.includes(':')))
  const players = (await Promise.all(reachable.map(async address => await Promise.all(Array.from({ length: PLAYERS }, async () => await openPlayer(director, address)))))).flat()
  await check(`${name}: replies come from the address the player sent to, of ${reachable.length}`, async () => { await each(players, async player => { await player.join('one'); await player.burst(BURST) }) })
  await check(`${name}: after a reset too`, async () => { await each(players, async player => { await player.join('two'); await player.burst(BURST) }) })
  await check(`${name}: a server speaks first after the proxy was killed`, async () => {
    await killProxy(director)
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
  await director.end()
}
await endAll()
process.exit(0)

async function each (players: readonly Player[], body: (player: Player) => Promise<void>): Promise<void> {
  await Promise.all(players.map(body))
}

async function killProxy ({ pid }: DirectorThere): Promise<void> {
  const proxyOf = async (): Promise<number | undefined> => {
    const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ').map(Number)
    for (const child of children) if ((await readFile(`/proc/${child}/cmdline`, 'utf8')).includes('apps/proxy')) return child
    return undefined
  }
  const former = await eventually('The proxy', proxyOf)
  process.kill(former, 'SIGKILL')
  await eventually('Another proxy', async () => {
    const next = await proxyOf()
    return next !== undefined && next !== former ? true : undefined
  })
}
