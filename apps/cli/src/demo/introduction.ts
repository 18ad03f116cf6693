// What the demo says before the log begins: where everything is, and lines to paste into another terminal. They need
// curl, sed and nc, and work in sh, bash and zsh.
import type { Style } from '#telemetry/log-lines/style.js'
import { gameServers, HOST, NAMESPACE, RESOURCE_TYPE, type GameServer, type Ports } from './world.js'

export interface PasteStep {
  readonly title: string
  /** Each is a whole command, some of several lines. */
  readonly commands: readonly string[]
  /** What the last of them prints. */
  readonly result?: string
}

/**
 * The lines. All `nc` with `-p` are one client, because a session belongs to an address and port, and a new `nc`
 * has a new port otherwise.
 */
export function pasteSteps ({ query, admin, data }: Ports): readonly PasteStep[] {
  const clientPort = data + 10_000
  const nc = (port?: number): string => `nc -u -w1 ${port === undefined ? '' : `-p ${port} `}${HOST} ${data}`
  return [
    { title: 'Ask for an Allocated game server with map de_dust2', commands: [queryCommand(query, 'de_dust2')] },
    {
      title: 'Be a client: send the token, then data (-p makes it one client)',
      commands: [`printf %s "$TOKEN" | ${nc(clientPort)}`, `echo hello | ${nc(clientPort)}`],
      result: 'arena-1: hello'
    },
    { title: 'Ask for another server, with map cs_office', commands: [queryCommand(query, 'cs_office')] },
    {
      title: 'Reset: the magic and the new token move the live session',
      commands: [`printf '\\377\\377\\377\\377RESET%s' "$TOKEN" | ${nc(clientPort)}`, `echo hello again | ${nc(clientPort)}`],
      result: 'arena-2: hello again'
    },
    { title: 'A client without a token goes to the default endpoint', commands: [`echo anyone there | ${nc()}`], result: 'lobby: anyone there' },
    { title: 'What the director knows about its sessions', commands: [`curl -s http://${HOST}:${admin}/sessions; echo`] }
  ]
}

function queryCommand (port: number, map: string): string {
  return `TOKEN=$(curl -s http://${HOST}:${port}/query \\
  -H 'content-type: application/json' -d '
  {"resourceType":"${RESOURCE_TYPE}","namespace":"${NAMESPACE}",
   "labelSelector":{"map":"${map}"},
   "statusQuery":{"jsonPath":"status.state","expectedValue":"Allocated"}}' |
  sed 's/.*"token":"\\([^"]*\\)".*/\\1/'); echo "$TOKEN"`
}

/** Everything, as text. `serverPorts` are in the order of `gameServers`. */
export function introduction (ports: Ports, serverPorts: readonly number[], inventoryPath: string, style: Style): string {
  const { query, admin, data } = ports
  const servers: readonly GameServer[] = gameServers
  return [
    `${style.bold('UDP Director')} is running.`,
    '',
    `  queries   http://${HOST}:${query}`,
    `  admin     http://${HOST}:${admin}, its API at /docs, metrics at /metrics`,
    `  data      UDP ${HOST}:${data}`,
    `  servers   ${servers.map((server, index) => serverLine(server, serverPorts[index] ?? 0)).join('\n            ')}`,
    `  inventory ${inventoryPath}`,
    '            (edit a file there; the director notices)',
    '',
    'Paste into another terminal, step by step:',
    '',
    ...pasteSteps(ports).flatMap((step, index) => [...stepLines(step, index + 1, style), '']),
    style.dim('With jq:  … | jq -r .token  instead of sed.'),
    style.dim('Without nc:  npm start -- --once  does all of it by itself.'),
    style.dim('Below is what happens, as it happens. Ctrl-C ends everything.'),
    '',
    ''
  ].join('\n')
}

function serverLine ({ name, state, map }: GameServer, port: number): string {
  return [name.padEnd(8), `${HOST}:${port}`.padEnd(16), state.padEnd(10), map ?? '(default endpoint)'].join(' ')
}

function stepLines ({ title, commands, result }: PasteStep, number: number, style: Style): string[] {
  return [
    style.bold(`${number}. ${title}:`),
    ...commands.map(command => style.cyan(command)),
    ...result === undefined ? [] : [style.dim(`   → ${result}`)]
  ]
}
