// Runs scenarios against the running pair: real clients, real servers, and the proxy's own counters for the verdicts.
import { randomUUID } from 'node:crypto'
import { Pair } from '#testkit/director/pair.js'
import { gameServerYaml } from '#testkit/objects/game-server.js'
import { magic, resetPacket } from '#testkit/objects/reset-packet.js'
import { until } from '#testkit/patience.js'
import { REPLY_BYTES, settings, type Payload, type PortName, type ServerName, type Setting } from '#testkit/state-table/scenarios.js'
import { markedToken, tokenKeyFrom } from '#wire/token-mac.js'
import type { Token } from '#wire/token.js'
import { openUdpPeer, type Received, type UdpPeer } from '#testkit/udp-peer.js'

const KEY = '000102030405060708090a0b0c0d0e0f'

type Totals = Readonly<Record<string, number>>
type Servers = Readonly<Record<ServerName, Readonly<Record<PortName, UdpPeer>>>>

async function openServers (): Promise<Servers> {
  const open = async () => ({ game: await openUdpPeer(), voice: await openUdpPeer() })
  return { A: await open(), B: await open(), C: await open(), D: await open() }
}

export class PairDriver {
  readonly pair: Pair
  readonly #servers: Servers
  #clients = new Map<string, UdpPeer>()
  #tokens = new Map<string, string>()
  readonly #keys = new Map<ServerName, string>()
  // Where a server last heard a client from: the director's upstream socket.
  #heard = new Map<string, Received>()

  static async open (setting: Setting): Promise<PairDriver> {
    const servers = await openServers()
    const { hasDefault, onInvalidToken, onTargetGone, refreshOn, sessionTimeoutSeconds } = settings[setting]
    const pair = await Pair.open({
      config: `
onInvalidToken: ${onInvalidToken}
onTargetGone: ${onTargetGone}
refreshOn: ${refreshOn}
sessionTimeoutSeconds: ${sessionTimeoutSeconds}
namespaces: [games]
${hasDefault ? 'defaultEndpoint: {resourceType: gameserver, namespace: games}' : ''}`,
      inventory: { 'd.yaml': gameServerYaml('d', { game: servers.D.game.port, voice: servers.D.voice.port }) }
    })
    const driver = new PairDriver(pair, servers)
    // By it tokens are known as the director's own that nobody issued; those that it issues have another one.
    await driver.#tell(async epoch => await pair.rpc.call('putTokenKeys', { body: { epoch, keys: [KEY] } }))
    return driver
  }

  private constructor (pair: Pair, servers: Servers) {
    this.pair = pair
    this.#servers = servers
  }

  /** Ends every session and forgets clients and tokens: a scenario starts with nothing. */
  async reset (): Promise<void> {
    const { body } = await this.pair.admin('GET', '/sessions?limit=1000')
    for (const { id } of (body as { sessions: { id: string }[] }).sessions) await this.pair.admin('DELETE', `/sessions/${id}`)
    for (const client of this.#clients.values()) await client.close()
    this.#clients = new Map()
    this.#tokens = new Map()
    this.#heard = new Map()
  }

  async close (): Promise<void> {
    await this.reset()
    for (const { game, voice } of Object.values(this.#servers)) await Promise.all([game.close(), voice.close()])
    await this.pair.close()
  }

  async grant (name: string, to: ServerName, ttlSeconds = 30): Promise<void> {
    const { game, voice } = this.#servers[to]
    const ports = to === 'C' ? { game: game.port } : { game: game.port, voice: voice.port }
    this.#tokens.set(name, await this.pair.tokenFor({ ports, ttlSeconds }))
    this.#keys.set(to, `address/127.0.0.1/${game.port},${to === 'C' ? '-' : voice.port}`)
  }

  async revoke (name: string): Promise<void> {
    const { status } = await this.pair.admin('DELETE', `/tokens/${this.#tokens.get(name)!}`)
    if (status !== 204) throw new Error(`DELETE /tokens answers ${status}`)
  }

  // Control tells the proxy both of these when the inventory changes; target-gone.test.ts shows that.
  async withdraw (name: string): Promise<void> {
    await this.#tell(async epoch => await this.pair.rpc.call('pushTokens', { body: { epoch, revoked: [], withdrawn: [this.#tokens.get(name)!], tokens: [] } }))
  }

  async gone (server: ServerName): Promise<void> {
    const key = this.#keys.get(server)!
    await this.#tell(async epoch => await this.pair.rpc.call('leaveTargets', { body: { epoch, gone: [{ key }] } }))
  }

  async #tell (call: (epoch: number) => Promise<{ readonly ok: boolean }>): Promise<void> {
    const hello = await this.pair.rpc.call('hello', {})
    const told = hello.ok ? await call(hello.value.epoch) : hello
    if (!told.ok) throw new Error(JSON.stringify(told))
  }

  async sessions (): Promise<number> {
    const { body } = await this.pair.admin('GET', '/sessions')
    return (body as { sessions: unknown[] }).sessions.length
  }

  async send (name: string, on: PortName, payload: Payload): Promise<unknown> {
    const client = await this.#client(name)
    const bytes = this.#bytes(payload)
    const before = await this.#totals()
    await client.send(bytes, this.pair.dataPorts[on]!)
    const what = await this.#outcome(before, 'to_target')
    if (what !== 'proxied') return what
    return await this.#arrival(name, on, bytes)
  }

  async reply (from: ServerName, name: string, on: PortName): Promise<unknown> {
    const heard = this.#heard.get(`${name} ${from} ${on}`)
    if (heard === undefined) throw new Error(`${name} never reached ${from} on ${on}`)
    return await this.#answer(this.#servers[from][on], heard, name, on)
  }

  async stranger (name: string, on: PortName): Promise<unknown> {
    const [, heard] = [...this.#heard].find(([key]) => key.startsWith(`${name} `) && key.endsWith(on))!
    const stranger = await openUdpPeer()
    const outcome = await this.#answer(stranger, heard, name, on)
    await stranger.close()
    return outcome
  }

  async #answer (from: UdpPeer, to: Received, name: string, on: PortName): Promise<unknown> {
    const text = randomUUID()
    if (text.length !== REPLY_BYTES) throw new Error('replies have another length')
    const before = await this.#totals()
    await from.send(text, to.port, to.address)
    const what = await this.#outcome(before, 'to_client')
    if (what !== 'proxied') return what
    const { bytes, port } = await (await this.#client(name)).next()
    return bytes.toString() === text && port === this.pair.dataPorts[on] ? 'delivered' : `${bytes.toString()} from port ${port}`
  }

  // Exactly one server got exactly these bytes, on the port that belongs to the data port.
  async #arrival (name: string, on: PortName, sent: Uint8Array): Promise<unknown> {
    const look = (): { server: string, received: Received } | undefined => {
      for (const [server, ports] of Object.entries(this.#servers)) {
        const received = ports[on].take()
        if (received !== undefined) return { server, received }
      }
      return undefined
    }
    let found: ReturnType<typeof look>
    // The kernel has it when the proxy has counted it as sent; this process's loop may not.
    await until(() => (found = look()) !== undefined, { what: 'the datagram at a server' })
    const { server, received } = found!
    this.#heard.set(`${name} ${server} ${on}`, received)
    return received.bytes.equals(sent) ? { at: server } : `other bytes at ${server}`
  }

  async #outcome (before: Totals, direction: string): Promise<unknown> {
    let after: Totals = before
    const grown = (): string[] => Object.keys(after).filter(key => after[key]! > (before[key] ?? 0) && !key.includes('received'))
    await this.pair.until(async () => {
      after = await this.#totals()
      return grown().length > 0
    })
    const [first, ...more] = grown()
    if (more.length > 0) return `more than one verdict: ${[first, ...more].join()}`
    const [kind, way, label] = first!.split(' ')
    if (kind === 'consumed') return { consumed: label }
    if (way !== direction) return `a verdict the other way: ${first!}`
    return kind === 'dropped' ? { dropped: label } : 'proxied'
  }

  async #totals (): Promise<Totals> {
    const totals: Record<string, number> = {}
    for (const { name, labels, value } of await this.pair.samples()) {
      const kind = /^udp_director_packets_(\w+)_total$/.exec(name)?.[1]
      if (kind === undefined) continue
      const key = `${kind} ${labels['direction'] ?? 'to_target'} ${labels['reason'] ?? labels['kind'] ?? ''}`
      totals[key] = (totals[key] ?? 0) + value
    }
    return totals
  }

  async #client (name: string): Promise<UdpPeer> {
    const known = this.#clients.get(name)
    if (known !== undefined) return known
    const client = await openUdpPeer()
    this.#clients.set(name, client)
    return client
  }

  #bytes (payload: Payload): Uint8Array {
    if ('data' in payload) return Buffer.from(payload.data, 'latin1')
    if ('magic' in payload) return Buffer.concat([magic, Buffer.from(payload.magic, 'latin1')])
    const tail = Buffer.from(payload.tail ?? '', 'latin1')
    if ('token' in payload) return Buffer.concat([Buffer.from(this.#token(payload.token)), tail])
    return Buffer.concat([resetPacket(this.#token(payload.control)), tail])
  }

  // A name nobody granted is a token nobody issued, the same one whenever it is sent. One that is forged has no mark.
  #token (name: string): string {
    const token = this.#tokens.get(name) ?? (name.startsWith('forged') ? randomUUID() : markedToken(randomUUID() as string as Token, tokenKeyFrom(KEY)))
    this.#tokens.set(name, token)
    return token
  }
}
