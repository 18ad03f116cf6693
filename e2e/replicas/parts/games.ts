// What libraries of games make of it when their replica is killed: their server hears them from another address from then on.
import { join } from 'node:path'
import { eventually } from '#testkit/patience.js'
import { gameServerYaml } from '#testkit/objects/game-server.js'
import { root } from '#testkit/processes/node-program.js'
import { runProgram } from '#testkit/processes/run-program.js'
import { pathOf } from '../../checks.js'
import { check, note, skip } from '../../inside.js'
import { equal } from '../expect.js'
import type { Fleet } from '../fleet.js'
import { startProgram, type Program } from '../games/program.js'
import { whyNotLong, type Lab } from '../lab.js'
import { everyReplica, HERE, SHARED } from '../network.js'
import { dataPorts } from '../places.js'
import { nowMs } from '../time.js'

interface Game {
  readonly server: Program
  readonly client: Program
}

// Below the ports that the system gives out, and those of the testkit.
const PORTS = { quic: 9101, enet: 9102 } as const

type Library = keyof typeof PORTS

export async function games (lab: Lab, fleet: Fleet): Promise<void> {
  const name = 'a replica is killed: QUIC keeps its connection, ENet connects again by itself'
  if (lab.pythonWithQuic === undefined) {
    skip(name, whyNotLong)
    return
  }
  await lab.balancer.spread('flow', [2])
  const quic = await eachStarted(lab, fleet, 'quic', lab.pythonWithQuic)
  const enet = await runProgram(pathOf('python3'), ['-c', 'import ctypes; ctypes.CDLL("libenet.so.7")'])
  const hasEnet = enet.code === 0
  const other = hasEnet ? await eachStarted(lab, fleet, 'enet', pathOf('python3')) : undefined
  await fleet.kill(2)
  const killedMs = nowMs()
  await lab.balancer.spread('flow', [0, 1])
  await lab.balancer.forget(2)
  await check('a replica is killed: QUIC keeps its connection', async () => { await goesOn(quic, killedMs) })
  if (other === undefined) skip('a replica is killed: ENet connects again by itself', 'there is no libenet.so.7: apt-get install libenet7')
  else await check('a replica is killed: ENet connects again from the same socket, without a query', async () => { await connectsAgain(other, killedMs) })
  await Promise.all([quic, other].map(async game => { await game?.client.close(); await game?.server.close() }))
  await fleet.restart(2)
  await lab.balancer.spread('flow', everyReplica)
}

async function eachStarted (lab: Lab, fleet: Fleet, library: Library, python: string): Promise<Game> {
  const port = PORTS[library]
  const words = (...rest: readonly string[]): readonly string[] => [python, join(root, `e2e/replicas/games/${library}_lines.py`), ...rest]
  const server = startProgram(`the server on ${library}`, words('server', HERE, String(port)))
  await server.until(() => server.count('ready') === 1, 'its start')
  lab.folder.write(`inventory/${library}.yaml`, gameServerYaml(library, Object.fromEntries(Object.keys(dataPorts).map(name => [name, port])), { address: HERE, labels: { name: library } }))
  const token = await eventually(async () => await fleet.query(0, library), { what: 'a token', mayFail: true, pollMs: 50 })
  const client = startProgram(`the client on ${library}`, words('client', SHARED, String(dataPorts.game), token))
  await client.until(() => client.count('connected') === 1 && answered(client, 0) > 20, 'a connection')
  return { server, client }
}

async function goesOn ({ server, client }: Game, killedMs: number): Promise<void> {
  await client.until(() => answered(client, killedMs) > 40, 'answers after the kill')
  note(`QUIC: the same connection, ${server.count('from')} addresses seen by the server, longest pause ${longestPauseMs(client).toFixed(0)} ms`)
  equal(client.count('connected'), 1, 'connections')
  equal(client.count('lost'), 0, 'connections lost')
}

async function connectsAgain ({ server, client }: Game, killedMs: number): Promise<void> {
  await client.until(() => client.count('connected') === 2, 'a second connection')
  const [lost, again] = ['lost', 'connected'].map(text => client.said.filter(line => line.text.startsWith(text)).at(-1)!.atMs - killedMs) as [number, number]
  await client.until(() => answered(client, killedMs + again) > 20, 'answers on it')
  note(`ENet: lost ${(lost / 1000).toFixed(1)} s after the kill, connected again ${(again - lost).toFixed(0)} ms later, ${server.count('connected')} connections seen by the server`)
}

/** How many numbers were answered since. */
function answered (client: Program, sinceMs: number): number {
  return client.said.filter(({ text, atMs }) => atMs > sinceMs && /^\d+$/.test(text)).length
}

function longestPauseMs (client: Program): number {
  const times = client.said.filter(({ text }) => /^\d+$/.test(text)).map(({ atMs }) => atMs)
  return Math.max(...times.slice(1).map((atMs, index) => atMs - times[index]!))
}
