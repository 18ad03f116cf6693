// A director in miniature, all in one process, that can be told to get one thing wrong. The walk-through must notice.
import { createSocket, type RemoteInfo } from 'node:dgram'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { HttpClient } from '../../src/demo/http-client.js'
import type { Demo } from '../../src/demo/open-demo.js'
import { gameServers, type GameServerName } from '../../src/demo/world.js'

export const sabotages = [
  'inventory incomplete', 'no default target', 'query fails', 'same token again', 'token forwarded', 'default silent',
  'session unlisted', 'reset ignored', 'session replaced', 'retransmit forwarded', 'thief let in', 'thief moves player',
  'session too many', 'counter stuck', 'no metrics'
] as const

export type Sabotage = typeof sabotages[number] | undefined

interface Session { id: string, client: string, server: GameServerName, token?: string }

const magic = '\xff\xff\xff\xffRESET'

export async function openFakeDirector (sabotage: Sabotage): Promise<{ demo: Pick<Demo, 'http' | 'ports' | 'servers'>, close: () => void }> {
  const received: Record<GameServerName, string[]> = { 'arena-1': [], 'arena-2': [], lobby: [] }
  const tokens = new Map<string, { server: GameServerName, by?: string }>()
  const sessions = new Map<string, Session>()
  const counts = new Map<string, number>()
  const count = (sample: string): void => { counts.set(sample, (counts.get(sample) ?? 0) + 1) }
  const is = (wanted: Sabotage): boolean => sabotage === wanted

  const socket = createSocket('udp4')
  const forward = (session: Session, text: string, { port, address }: RemoteInfo): void => {
    received[session.server].push(text)
    count('udp_director_packets_proxied_total{direction="to_target",data_port="default"}')
    count('udp_director_packets_proxied_total{direction="to_client",data_port="default"}')
    if (is('default silent') && session.server === 'lobby') return
    socket.send(`${session.server}: ${text}`, port, address)
  }
  const establish = (client: string, server: GameServerName, token?: string): Session => {
    const session = { id: String(sessions.size), client, server, ...token === undefined ? {} : { token } }
    sessions.set(client, session)
    count(`udp_director_sessions_created_total{origin="${token === undefined ? 'default' : 'token'}"}`)
    return session
  }
  const bind = (client: string, token: string, grant: { server: GameServerName, by?: string }): Session => {
    const session = sessions.get(client)
    grant.by = client
    count('udp_director_tokens_redeemed_total')
    if (session === undefined) return establish(client, grant.server, token)
    count('udp_director_sessions_reset_total{origin="token"}')
    if (is('reset ignored')) return session
    session.server = grant.server
    session.token = token
    if (is('session replaced')) session.id = 'another'
    return session
  }
  socket.on('message', (data, from) => {
    const text = data.toString('latin1')
    const client = `${from.address}:${from.port}`
    const isControl = text.startsWith(magic)
    const token = isControl ? text.slice(magic.length) : text
    const grant = tokens.get(token)
    if (grant === undefined) {
      forward(sessions.get(client) ?? establish(client, 'lobby'), text, from)
    } else if (grant.by === undefined) {
      const session = bind(client, token, grant)
      if (is('token forwarded')) forward(session, token, from)
    } else if (grant.by === client) {
      count('udp_director_packets_consumed_total{kind="retransmit"}')
      if (is('retransmit forwarded')) forward(sessions.get(client)!, token, from)
    } else {
      if (!is('counter stuck')) count('udp_director_packets_dropped_total{direction="to_target",reason="token_consumed"}')
      if (is('thief let in')) establish(client, grant.server)
      if (is('thief moves player')) sessions.get(grant.by)!.server = 'lobby'
    }
  })
  socket.bind(0, '127.0.0.1')

  const http = createServer((request, response) => {
    void answer(request).then(([status, body]) => {
      response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))
    })
  })
  const answer = async (request: IncomingMessage): Promise<[number, unknown]> => {
    switch (request.url) {
      case '/readyz': return [200, {}]
      case '/healthz': return [200, { status: 'ok', inventory: { objects: { gameserver: is('inventory incomplete') ? 2 : 3 } }, defaultEndpoint: { targets: is('no default target') ? 0 : 1 } }]
      case '/query': return await issue(request)
      case '/sessions': return [200, { sessions: listed() }]
      default: return is('no metrics') ? [200, ''] : [200, metrics()]
    }
  }
  const issue = async (request: IncomingMessage): Promise<[number, unknown]> => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    if (is('query fails')) return [404, { code: 'NO_MATCHING_RESOURCE' }]
    count('udp_director_queries_total')
    count('udp_director_queries_success')
    const server = body.includes('de_dust2') ? 'arena-1' : 'arena-2'
    const token = is('same token again') && tokens.size > 0 ? [...tokens.keys()][0]! : randomUUID()
    tokens.set(token, { server })
    return [200, { token, dataPorts: [{ port: socket.address().port }] }]
  }
  const listed = (): object[] => {
    const list = [...sessions.values()].map(({ id, client, server }) => ({ id, client, target: { key: `gameserver/games/${server}` } }))
    if (is('session unlisted')) list.shift()
    if (is('session too many') && list.length === 3) list.push({ id: 'x', client: 'ghost', target: { key: 'x' } })
    return list
  }
  const metrics = (): string => [
    '# HELP udp_director_sessions_active Sessions in the table.',
    `udp_director_sessions_active ${sessions.size}`,
    ...[...counts].map(([sample, value]) => `${sample} ${value}`)
  ].join('\n')
  http.listen(0, '127.0.0.1')
  await Promise.all([once(http, 'listening'), once(socket, 'listening')])

  const { port } = http.address() as AddressInfo
  const ports = { query: port, admin: port, data: socket.address().port }
  const servers = gameServers.map(({ name }) => ({ name, port: 1, received: received[name], close: async () => {} }))
  return {
    demo: { http: new HttpClient(ports), ports, servers },
    close: () => { socket.close(); http.closeAllConnections(); http.close() }
  }
}
