// A Quake 3 family server, asked by qstat: its packets start with FF FF FF FF like the default magic, and have to pass.
import { eventually } from '#testkit/patience.js'
import { claimPort } from '#testkit/ports.js'
import { startChild } from '#testkit/processes/child.js'
import { runProgram } from '#testkit/processes/run-program.js'
import { openUdpPeer } from '#testkit/udp-peer.js'
import { pathOf, same, type Suite } from '../checks.js'
import { DATA_PORT, query, startDirector } from '../director.js'

const SERVER_NAME = 'director-e2e'
const MAP = 'oa_dm1'

export const quake: Suite = {
  name: 'Quake 3: qstat and OpenArena',
  needs: ['quakestat', 'openarena-server'],
  run: async (checks, folder) => {
    const serverPort = await startOpenArena(folder)
    const echo = await openUdpPeer()
    const director = await startDirector([{ name: 'nowhere', address: '127.0.0.1', port: echo.port }, { name: 'arena', address: '127.0.0.1', port: serverPort }])
    const dataPort = director.dataPorts[DATA_PORT]!
    const direct = await answerOf(serverPort)

    await checks.check('a server asked through the director gives the same answer as without it', async () => {
      const { port: clientPort } = await claimPort()
      const peer = await openUdpPeer(4, clientPort)
      await peer.send(await query(director, 'arena'), dataPort)
      await peer.close()
      const answer = await answerOf(dataPort, clientPort)
      for (const fact of ['status="UP"', `<name>${SERVER_NAME}</name>`, `<map>${MAP}</map>`]) {
        if (!answer.includes(fact)) throw new Error(`no ${fact} in: ${answer}`)
      }
      same(answer, direct, 'the answer')
    })
    await checks.check('without a token the question reaches the default endpoint as it was sent', async () => {
      const unanswered = await status(dataPort)
      if (!unanswered.includes('status="TIMEOUT"')) throw new Error(`an answer out of nowhere: ${unanswered}`)
      const question = (await echo.next()).bytes
      if (!question.subarray(0, 7).equals(Buffer.from('\xff\xff\xff\xffget', 'latin1'))) throw new Error(`the server got ${question.toString('hex')}`)
    })
    await echo.close()
  }
}

// `dedicated 1` and empty masters: it announces itself to nobody.
async function startOpenArena (folder: string): Promise<number> {
  const { port } = await claimPort()
  const child = startChild('openarena-server', pathOf('openarena-server'), [
    '+set', 'dedicated', '1', '+set', 'net_enabled', '1', '+set', 'net_ip', '127.0.0.1', '+set', 'net_port', String(port),
    '+set', 'fs_homepath', folder, '+set', 'com_homepath', 'openarena',
    ...[1, 2, 3, 4, 5].flatMap(master => ['+set', `sv_master${master}`, '']),
    '+set', 'sv_hostname', SERVER_NAME, '+map', MAP
  ], { env: { ...process.env, HOME: folder } })
  try {
    await answerOf(port)
  } catch (error) {
    throw new Error(`${String(error)}\n${child.output()}`)
  }
  return port
}

/** What qstat says about the server at `port` once that answers. */
async function answerOf (port: number, sourcePort?: number): Promise<string> {
  return await eventually(async () => {
    const said = await status(port, sourcePort)
    return said.includes('status="UP"') ? said : undefined
  }, { what: 'an answer of the game server', mayFail: true, pollMs: 50 })
}

/** What qstat says about the server at `port`, less what differs from one question to the next. */
async function status (port: number, sourcePort?: number): Promise<string> {
  const source = sourcePort === undefined ? [] : ['-srcport', `${sourcePort}-${sourcePort}`]
  const { stdout } = await runProgram(pathOf('quakestat'), ['-q3s', `127.0.0.1:${port}`, ...source, '-R', '-xml', '-timeout', '2', '-retry', '1'])
  return stdout.replaceAll(`127.0.0.1:${port}`, 'address').replaceAll(/<(ping|retries)>\d+<\/\1>/g, '')
}
