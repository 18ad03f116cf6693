// dig and dnsmasq: a real client and a real server that know nothing of a director between them. Two servers give
// different answers to the same question, so the answer tells where a datagram went.
import { DEFAULT_MAGIC_HEX } from '#wire/control-packet.js'
import type { Serve } from '#testkit/director/serve.js'
import { eventually, PATIENCE_MS } from '#testkit/patience.js'
import { claimPort } from '#testkit/ports.js'
import { startChild } from '#testkit/processes/child.js'
import { runProgram } from '#testkit/processes/run-program.js'
import { hasIPv6, openUdpPeer } from '#testkit/udp-peer.js'
import { pathOf, same, type Checks, type Suite } from '../checks.js'
import { DATA_PORT, query, startDirector } from '../director.js'

const HOST = 'game.test'
const FIRST = '192.0.2.53'
const SECOND = '192.0.2.54'
const LOOPBACK = { 4: '127.0.0.1', 6: '::1' } as const

// Twelve strings of 250 characters: an answer of more than 3,000 bytes, well beyond one Ethernet frame.
const longText = Array.from({ length: 12 }, (_, index) => String.fromCharCode(97 + index).repeat(250))

type Family = 4 | 6

export const dns: Suite = {
  name: 'DNS: dig and dnsmasq',
  needs: ['dig', 'dnsmasq'],
  run: async checks => {
    const first = await startDnsmasq(FIRST)
    const second = await startDnsmasq(SECOND)
    const director = await startDirector([{ name: 'first', address: '127.0.0.1', port: first }, { name: 'second', address: '127.0.0.1', port: second }])
    await checkFamily(checks, director, 4)
    if (await hasIPv6()) await checkFamily(checks, director, 6)
    else checks.skip('the same over IPv6', 'this machine has no IPv6 loopback address')
  }
}

async function checkFamily (checks: Checks, director: Serve, family: Family): Promise<void> {
  const over = `over IPv${family}`
  const { port: clientPort } = await claimPort()
  const dataPort = director.dataPorts[DATA_PORT]!
  const ask = async (): Promise<string> => await dig(dataPort, family, clientPort)

  await checks.check(`a question without a token reaches the default endpoint ${over}`, async () => {
    same(await dig(dataPort, family), FIRST, 'the answer')
  })
  await checks.check(`an answer of 3,000 bytes arrives whole ${over}`, async () => {
    const answer = await digLong(dataPort, family)
    same(answer, longText.map(text => `"${text}"`).join(' '), 'the answer')
  })
  await checks.check(`after a token from the same port the other server answers ${over}`, async () => {
    await sendFrom(clientPort, family, Buffer.from(await query(director, 'second')), dataPort)
    same(await ask(), SECOND, 'the answer')
    same(await ask(), SECOND, 'the answer to the second question')
  })
  await checks.check(`after a reset the first server answers the same port ${over}`, async () => {
    const reset = Buffer.concat([Buffer.from(DEFAULT_MAGIC_HEX, 'hex'), Buffer.from(await query(director, 'first'))])
    await sendFrom(clientPort, family, reset, dataPort)
    same(await ask(), FIRST, 'the answer')
  })
}

async function startDnsmasq (answer: string): Promise<number> {
  const { port } = await claimPort()
  const child = startChild('dnsmasq', pathOf('dnsmasq'), [
    '--no-daemon', '--conf-file=/dev/null', '--pid-file=', '--no-resolv', '--no-hosts', '--bind-interfaces', '--listen-address=127.0.0.1',
    `--port=${port}`, `--address=/${HOST}/${answer}`, `--txt-record=long.${HOST},${longText.join(',')}`, '--edns-packet-max=4096'
  ])
  await eventually(async () => await dig(port, 4) === answer ? true : undefined, { what: () => `dnsmasq: ${child.output()}`, mayFail: true, pollMs: 50 })
  return port
}

async function dig (port: number, family: Family, sourcePort?: number): Promise<string> {
  const source = sourcePort === undefined ? [] : ['-b', `${LOOPBACK[family]}#${sourcePort}`]
  return await ask([...source, `@${LOOPBACK[family]}`, '-p', String(port), HOST, 'A'])
}

async function digLong (port: number, family: Family): Promise<string> {
  return await ask([`@${LOOPBACK[family]}`, '-p', String(port), `long.${HOST}`, 'TXT', '+bufsize=4096', '+ignore'])
}

// -r: no ~/.digrc of whoever runs this.
async function ask (args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram(pathOf('dig'), ['-r', ...args, '+short', '+notcp', '+tries=1', `+time=${PATIENCE_MS / 1000}`])
  if (code !== 0) throw new Error(`dig ended with ${code}: ${stdout}${stderr}`)
  return stdout.trim()
}

// Sends and leaves the port to dig.
async function sendFrom (port: number, family: Family, bytes: Uint8Array, to: number): Promise<void> {
  const peer = await openUdpPeer(family, port)
  await peer.send(bytes, to)
  await peer.close()
}
