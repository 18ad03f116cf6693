// A director on a host of its own, which is the network namespace that this runs in, with a router and another host beyond
// it (suites/paths.ts). Argument: the engine, then the far host's namespace. It throws what is wrong.
import { join } from 'node:path'
import type { Serve } from '#testkit/director/serve.js'
import { eventually } from '#testkit/patience.js'
import { endAll, startChild } from '#testkit/processes/child.js'
import { root } from '#testkit/processes/node-program.js'
import { runProgram } from '#testkit/processes/run-program.js'
import { pathOf, same } from '../checks.js'
import { closeDirectors, DATA_PORT, query, startDirector } from '../director.js'

const PORT = 7000
const [engine = '', far = ''] = process.argv.slice(2)
const [home4, far4, home6] = ['10.5.0.1', '10.6.0.2', 'fd00:5::1']
const LONG = 1400

/** Sends `bytes` from one of the hosts with a token of its own, and returns who answers it and how many bytes. */
async function ask (director: Serve, from: 'here' | 'far', address: string, target: string, bytes: number, ...headers: readonly string[]): Promise<string> {
  const token = await query(director, target)
  const client = [pathOf('python3'), join(root, 'e2e/paths/client.py'), address, String(director.dataPorts[DATA_PORT]), token, String(bytes), ...headers]
  const [command = '', ...args] = from === 'far' ? [pathOf('ip'), 'netns', 'exec', far, ...client] : client
  const { code, stdout, stderr } = await runProgram(command, args)
  if (code !== 0) throw new Error(stderr)
  return stdout.trim()
}

async function check (): Promise<void> {
  const echo = [pathOf('python3'), join(root, 'e2e/paths/echo.py')]
  for (const [address, port, name] of [['127.0.0.1', PORT, 'near'], ['127.0.0.1', PORT + 1, 'lobby']] as const) startChild(name, echo[0]!, [echo[1]!, address, String(port), name])
  startChild('far', pathOf('ip'), ['netns', 'exec', far, ...echo, far4, String(PORT), 'far'])
  // Who has no session is sent to the lobby.
  const targets = [['lobby', '127.0.0.1', PORT + 1], ['near', '127.0.0.1', PORT], ['far', far4, PORT]] as const
  const director = await startDirector(targets.map(([name, address, port]) => ({ name, address, port })), {
    engine, workers: engine === 'batch' ? 4 : 1, allowedTargets: ['127.0.0.0/8', '10.0.0.0/8']
  })
  await eventually(async () => (await ask(director, 'here', '127.0.0.1', 'near', 1)) === 'near 1' ? true : undefined, { what: 'the near server', mayFail: true })

  same(await ask(director, 'here', '::1', 'near', 1), 'near 1', 'IPv6 and IPv4 on one data port, with net.ipv6.bindv6only=1')
  same(await ask(director, 'here', '127.0.0.1', 'far', LONG), `far ${LONG}`, 'a long datagram to a server beyond a router with a small MTU')
  same(await ask(director, 'far', home4, 'near', LONG), `near ${LONG}`, 'a long datagram to a client beyond it')
  for (const [address, ...headers] of [[home4, 'options'], [home6, 'hop-by-hop'], [home6, 'destination'], [home6, 'hop-by-hop', 'destination']] as const) {
    // Were the worker chosen by chance, one in four would be right: twelve are not.
    for (let client = 0; client < 12; client++) same(await ask(director, 'far', address, 'near', 10, ...headers), 'near 10', `a client with ${headers.join(' and ')} before UDP`)
  }
}

try {
  await check()
} finally {
  await closeDirectors()
  await endAll()
}
