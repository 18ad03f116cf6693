// The programs these checks talk to, which nobody here wrote, and the Debian packages that hold them: the one list.
// .ci/run installs the same packages.
import { findOnPath } from '#testkit/processes/find-program.js'

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

/** The absolute path of `program`, or undefined if it is not installed. */
export function findProgram (program: Program): string | undefined {
  return findOnPath(program)
}

/** The line that installs the packages of these programs. */
export function installLine (programs: readonly Program[]): string {
  return `apt-get install -y --no-install-recommends ${programs.map(program => packageOfProgram[program]).join(' ')}`
}
