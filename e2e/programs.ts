// The programs these checks talk to, which nobody here wrote, and the Debian packages that hold them: the one list.
// .ci/run installs the same packages.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

export const packageOfProgram = {
  conntrack: 'conntrack',
  curl: 'curl',
  dig: 'bind9-dnsutils',
  dnsmasq: 'dnsmasq-base',
  ip: 'iproute2',
  nc: 'netcat-openbsd',
  nft: 'nftables',
  nsenter: 'util-linux',
  'openarena-server': 'openarena-server',
  // Depends on python3, which Debian gives no pip of its own.
  python3: 'python3-venv',
  quakestat: 'qstat',
  'redis-cli': 'redis-tools',
  'redis-server': 'redis-server',
  setpriv: 'util-linux',
  unshare: 'util-linux'
} as const

export type Program = keyof typeof packageOfProgram

// Debian keeps daemons and games out of the search path of some users.
const extraFolders = ['/usr/sbin', '/usr/games']

/** The absolute path of `program`, or undefined if it is not installed. */
export function findProgram (program: Program): string | undefined {
  return findOnPath(program)
}

/** The same for a program that no check must have. */
export function findOnPath (program: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...extraFolders]
  return folders.map(folder => join(folder, program)).find(isExecutable)
}

/** The line that installs the packages of these programs. */
export function installLine (programs: readonly Program[]): string {
  return `apt-get install -y --no-install-recommends ${programs.map(program => packageOfProgram[program]).join(' ')}`
}

function isExecutable (path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false // not there, or not ours to run
  }
}
