// The programs we compare with, where they are installed: nginx as a UDP load balancer, and socat. Each gets the receive
// buffer that ours has, and one processor.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { err, ok } from '#core/result.js'
import { openFolder } from '#testkit/folder.js'
import { eventually } from '#testkit/patience.js'
import { claimPort, type Claim } from '#testkit/ports.js'
import { startChild, type Child } from '#testkit/processes/child.js'
import { isBound, processTree } from '../process-usage.js'
import type { Endpoint } from '../endpoints.js'
import type { Forwarder, ForwarderName, ForwarderOptions, Opened } from './forwarder.js'

const LOOPBACK = '127.0.0.1'
const BUFFER_BYTES = 4_194_304
const POLL_MS = 20

// A socket of its own for each client: their number is that of the ephemeral ports of one address, at most.
const MAX_NGINX_CLIENTS = 10_000
// A process of its own for each client.
const MAX_SOCAT_CLIENTS = 100

export async function openNginx (options: ForwarderOptions): Promise<Opened> {
  const program = programAt('nginx', ['-V'])
  if (program === undefined) return err('not installed')
  if (options.clients > MAX_NGINX_CLIENTS) return err(`has a socket for each client, and there are no ${options.clients} ephemeral ports`)
  const folder = openFolder()
  const claim = await claimPort()
  const config = folder.write('nginx.conf', nginxConfig(folder.path, claim.port, options.targets))
  const checked = spawnSync(program, ['-t', '-q', '-c', config, '-p', folder.path], { encoding: 'utf8' })
  if (checked.status !== 0) {
    claim.release()
    folder.close()
    return err(`refuses its configuration, perhaps for want of its stream module: ${checked.stderr.trim().split('\n').at(-1) ?? ''}`)
  }
  return await openProgram('nginx', [program, '-c', config, '-p', folder.path], options, claim, folder.close)
}

export async function openSocat (options: ForwarderOptions): Promise<Opened> {
  const program = programAt('socat', ['-V'])
  if (program === undefined) return err('not installed')
  if (options.clients > MAX_SOCAT_CLIENTS) return err(`has a process for each client: not with ${options.clients}`)
  const claim = await claimPort()
  // It knows one target only.
  const [{ address, port: targetPort }] = options.targets as [Endpoint]
  const args = ['-b', '65536', `UDP4-LISTEN:${claim.port},bind=${LOOPBACK},reuseaddr,fork,rcvbuf=${BUFFER_BYTES}`, `UDP4:${address}:${targetPort},rcvbuf=${BUFFER_BYTES}`]
  return await openProgram('socat', [program, ...args], options, claim)
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

async function openProgram (name: ForwarderName, words: readonly string[], { prefix }: ForwarderOptions, { port, release }: Claim, remove = (): void => undefined): Promise<Opened> {
  const [command = '', ...args] = [...prefix, ...words]
  const child = startChild(name, command, args)
  const close = async (): Promise<void> => {
    // The processes that socat has for its clients do not end with it.
    for (const pid of processTree(child.pid).slice(1)) endProcess(pid)
    await child.end()
    release()
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
    pids: () => processTree(child.pid),
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
  return await eventually(() => isBound(port) ? true : child.isRunning() ? undefined : false, { pollMs: POLL_MS, what: child.output })
}

/** Where the program is, if `args` make it say something. Debian has its daemons where users do not look. */
function programAt (name: string, args: readonly string[]): string | undefined {
  return [name, `/usr/sbin/${name}`].find(path => spawnSync(path, args).error === undefined)
}
