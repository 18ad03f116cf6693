// The programs we compare with, where they are installed: nginx as a UDP load balancer, and socat. Each gets the receive
// buffer that ours has, and one processor.
import { spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { err, ok } from '#core/result.js'
import { openPrivateDirectory } from '../../../apps/cli/src/private-directory/private-directory.js'
import { start, type Child } from '../../../e2e/children.js'
import { isBound, processTree } from '../process-usage.js'
import type { Endpoint } from '../endpoints.js'
import type { Forwarder, ForwarderName, ForwarderOptions, Opened } from './forwarder.js'

const LOOPBACK = '127.0.0.1'
const BUFFER_BYTES = 4_194_304
const START_MS = 5000
const POLL_MS = 20

// A socket of its own for each client: their number is that of the ephemeral ports of one address, at most.
const MAX_NGINX_CLIENTS = 10_000
// A process of its own for each client.
const MAX_SOCAT_CLIENTS = 100

export async function openNginx (options: ForwarderOptions): Promise<Opened> {
  const program = programAt('nginx', ['-V'])
  if (program === undefined) return err('not installed')
  if (options.clients > MAX_NGINX_CLIENTS) return err(`has a socket for each client, and there are no ${options.clients} ephemeral ports`)
  const directory = openPrivateDirectory()
  const port = await freePort()
  const config = directory.write('nginx.conf', nginxConfig(directory.path, port, options.targets))
  const checked = spawnSync(program, ['-t', '-q', '-c', config, '-p', directory.path], { encoding: 'utf8' })
  if (checked.status !== 0) {
    directory.close()
    return err(`refuses its configuration, perhaps for want of its stream module: ${checked.stderr.trim().split('\n').at(-1) ?? ''}`)
  }
  return await openProgram('nginx', [program, '-c', config, '-p', directory.path], options, port, () => { directory.close() })
}

export async function openSocat (options: ForwarderOptions): Promise<Opened> {
  const program = programAt('socat', ['-V'])
  if (program === undefined) return err('not installed')
  if (options.clients > MAX_SOCAT_CLIENTS) return err(`has a process for each client: not with ${options.clients}`)
  const port = await freePort()
  // It knows one target only.
  const [{ address, port: targetPort }] = options.targets as [Endpoint]
  const args = ['-b', '65536', `UDP4-LISTEN:${port},bind=${LOOPBACK},reuseaddr,fork,rcvbuf=${BUFFER_BYTES}`, `UDP4:${address}:${targetPort},rcvbuf=${BUFFER_BYTES}`]
  return await openProgram('socat', [program, ...args], options, port, () => undefined)
}

function nginxConfig (directory: string, port: number, targets: readonly Endpoint[]): string {
  const stream = '/usr/lib/nginx/modules/ngx_stream_module.so'
  return [
    ...(existsSync(stream) ? [`load_module ${stream};`] : []),
    'daemon off;',
    'worker_processes 1;',
    'worker_rlimit_nofile 20000;',
    `pid ${directory}/pid;`,
    `error_log ${directory}/error.log crit;`,
    'events { worker_connections 16384; }',
    'stream {',
    `  upstream targets { ${targets.map(({ address, port }) => `server ${address}:${port} max_fails=0;`).join(' ')} }`,
    `  server { listen ${LOOPBACK}:${port} udp rcvbuf=${BUFFER_BYTES} sndbuf=${BUFFER_BYTES}; proxy_pass targets; proxy_timeout 1d; }`,
    '}',
    ''
  ].join('\n')
}

async function openProgram (name: ForwarderName, words: readonly string[], { prefix }: ForwarderOptions, port: number, remove: () => void): Promise<Opened> {
  const [command = '', ...args] = [...prefix, ...words]
  const child = start(name, command, args)
  const close = async (): Promise<void> => {
    // The processes that socat has for its clients do not end with it.
    for (const pid of processTree(child.pid!).slice(1)) endProcess(pid)
    await child.end()
    remove()
  }
  if (!await isUp(child, port)) {
    const said = child.output().trim().split('\n').at(-1) ?? ''
    await close()
    return err(`did not start: ${said}`)
  }
  const forwarder: Forwarder = {
    name,
    entrances: [{ address: LOOPBACK, port }],
    pids: () => processTree(child.pid!),
    drops: async () => undefined,
    sessions: async () => undefined,
    close
  }
  return ok(forwarder)
}

function endProcess (pid: number): void {
  try {
    process.kill(pid)
  } catch { // ESRCH: it has ended meanwhile
  }
}

async function isUp (child: Child, port: number): Promise<boolean> {
  for (const end = performance.now() + START_MS; performance.now() < end && child.isRunning();) {
    if (isBound(port)) return true
    await sleep(POLL_MS)
  }
  return false
}

/** Where the program is, if `args` make it say something. Debian has its daemons where users do not look. */
function programAt (name: string, args: readonly string[]): string | undefined {
  return [name, `/usr/sbin/${name}`].find(path => spawnSync(path, args).error === undefined)
}

// These programs cannot say which port the system chose. Somebody else may take it in between; then they do not start.
async function freePort (): Promise<number> {
  const socket = createSocket('udp4')
  socket.bind(0, LOOPBACK)
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  return port
}
