// The running pair while game servers change and go: tokens are looked at again, and sessions end if so configured.
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { RpcEvent } from '#rpc/contract.js'
import { Pair } from '#testkit/director/pair.js'
import { gameServerYaml } from '#testkit/objects/game-server.js'
import { forTest } from '#testkit/for-test.js'
import { resetPacket } from '#testkit/objects/reset-packet.js'
import { openUdpPeer, type UdpPeer } from '#testkit/udp-peer.js'

void t.test('what was asked for is what a token leads to, or it leads nowhere', async t => {
  const peer = async (): Promise<UdpPeer> => await forTest(t, openUdpPeer())
  const [a, b] = [await peer(), await peer()]
  const yaml = (name: string, { port }: UdpPeer, map = name): string => gameServerYaml(name, { game: port, voice: port }, { labels: { map } })
  const pair = await forTest(t, Pair.open({ config: 'onTargetGone: close\nnamespaces: [games]', inventory: { 'a.yaml': yaml('a', a), 'b.yaml': yaml('b', b) } }))
  const file = (name: string): string => join(pair.folder, 'inventory', `${name}.yaml`)

  const tokenFor = async (map: string): Promise<string> => await pair.query({ labelSelector: { map } })
  const metric = async (series: string): Promise<number> => {
    const line = (await pair.metrics()).split('\n').find(line => line.startsWith(`${series} `))
    return Number(line?.slice(series.length + 1) ?? 0)
  }
  const withdrawn = async (): Promise<number> => await metric('udp_director_tokens_revoked_total{cause="target_gone"}')
  const refused = async (): Promise<number> => await metric('udp_director_packets_dropped_total{direction="to_target",reason="target_gone"}')
  const send = async (from: UdpPeer, bytes: Uint8Array | string): Promise<void> => { await from.send(bytes, pair.dataPorts['game']!) }
  const joined = async (server: UdpPeer, map: string): Promise<UdpPeer> => {
    const client = await peer()
    await send(client, await tokenFor(map))
    await send(client, 'hello')
    t.equal((await server.next()).bytes.toString(), 'hello')
    return client
  }
  const sessions = async (): Promise<number> => ((await pair.admin('GET', '/sessions')).body as { total: number }).total

  const changes: ReadonlyArray<readonly [change: string, apply: () => Promise<void>]> = [
    ['another label', async () => { await writeFile(file('a'), yaml('a', a, 'other')) }],
    ['another address', async () => { await writeFile(file('a'), gameServerYaml('a', { game: a.port, voice: a.port }, { labels: { map: 'a' }, address: '127.0.0.2' })) }],
    ['deleted', async () => { await rm(file('a')) }]
  ]
  const unaffected = await tokenFor('b')
  const player = await joined(b, 'b')
  for (const [index, [change, apply]] of changes.entries()) {
    let token: string | undefined
    await pair.until(async () => { token = await tokenFor('a'); return true })
    const before = await withdrawn()
    await apply()
    await pair.until(async () => await withdrawn() === before + 1)
    // The proxy acknowledges this one after what it was told before.
    await tokenFor('b')
    await send(await peer(), resetPacket(token!))
    await pair.until(async () => await refused() === index + 1)
    t.pass(`refused: ${change}`)
    await rm(file('a'), { force: true })
    await pair.until(async () => await tokenFor('a').then(() => false, () => true))
    await writeFile(file('a'), yaml('a', a))
  }
  t.equal(await sessions(), 1, 'none of these made a session')
  await send(player, resetPacket(unaffected))
  await send(player, 'still here')
  t.equal((await b.next()).bytes.toString(), 'still here', 'a token for another server is as good as ever')

  // A server that goes while control is there, and one that goes while it is not.
  const heard: RpcEvent[] = []
  const listening = new AbortController()
  const ended = pair.rpc.events(event => { heard.push(event) }, listening.signal)
  await pair.until(async () => { await joined(a, 'a'); return true })
  await rm(file('a'))
  await pair.until(async () => await sessions() === 1)
  await pair.until(async () => await metric('udp_director_sessions_ended_total{cause="target_gone"}') === 1)
  await pair.until(() => heard.some(({ type }) => type === 'target'))
  t.match(heard.filter(({ type }) => type === 'target'), [{ change: 'gone', target: 'gameserver/games/a', action: 'close', sessions: 1 }])
  listening.abort()
  await ended
  pair.control.kill('SIGKILL')
  await pair.control.ended
  await rm(file('b'))
  await pair.restartControl()
  await pair.until(async () => await sessions() === 0)
  await pair.until(async () => await metric('udp_director_targets_gone_total{action="close"}') === 2)
  t.match(await pair.proxy.line('Target is gone, its sessions were ended'), { targetKey: 'gameserver/games/a', sessions: 1 })
})
