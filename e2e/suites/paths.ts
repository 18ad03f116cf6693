// Hosts with a network between them: packets too long for a link whose router keeps silent about it, headers before that of
// UDP, and a system that keeps IPv4 away from IPv6 sockets.
//
//   home (the director) ── 1500 ── router ── 1280 ── far (a client, a server)
import { join } from 'node:path'
import { root } from '#testkit/processes/node-program.js'
import { runProgram } from '#testkit/processes/run-program.js'
import { pathOf, type Suite } from '../checks.js'

const [home, router, far] = ['home', 'router', 'far'].map(name => `e2e-${process.pid}-${name}`) as [string, string, string]

const network = [
  ...[home, router, far].flatMap(name => [`netns add ${name}`, `-n ${name} link set lo up`]),
  `link add h0 netns ${home} type veth peer name r0 netns ${router}`,
  `link add r1 netns ${router} type veth peer name f0 netns ${far}`,
  ...[[home, 'h0', 1], [router, 'r0', 2]].flatMap(([name, link, last]) => [`-n ${name} addr add 10.5.0.${last}/24 dev ${link}`, `-n ${name} addr add fd00:5::${last}/64 dev ${link} nodad`, `-n ${name} link set ${link} up`]),
  ...[[router, 'r1', 1], [far, 'f0', 2]].flatMap(([name, link, last]) => [`-n ${name} addr add 10.6.0.${last}/24 dev ${link}`, `-n ${name} addr add fd00:6::${last}/64 dev ${link} nodad`, `-n ${name} link set ${link} up mtu 1280`]),
  `-n ${home} route add 10.6.0.0/24 via 10.5.0.2`,
  `-n ${home} -6 route add fd00:6::/64 via fd00:5::2`,
  `-n ${far} route add default via 10.6.0.1`,
  `-n ${far} -6 route add default via fd00:6::1`,
  // What the router itself has to say, "fragmentation needed" above all, does not leave it.
  `-n ${router} rule add iif lo to 10.5.0.0/24 pref 10 blackhole`
]

const settings = [
  [router, 'net/ipv4/ip_forward'], [router, 'net/ipv6/conf/all/forwarding'], [home, 'net/ipv6/bindv6only']
] as const

async function ip (line: string): Promise<string> {
  const { code, stderr } = await runProgram(pathOf('ip'), line.split(' '))
  return code === 0 ? '' : `ip ${line}: ${stderr.trim()}`
}

async function lay (): Promise<string> {
  for (const line of network) {
    const fault = await ip(line)
    if (fault !== '') return fault
  }
  for (const [name, setting] of settings) {
    const { code, stderr } = await runProgram(pathOf('ip'), ['netns', 'exec', name, 'sh', '-c', `echo 1 > /proc/sys/${setting}`])
    if (code !== 0) return stderr
  }
  return ''
}

export const paths: Suite = {
  name: 'Paths: small MTUs, headers before UDP, one family at a time',
  needs: ['ip', 'python3'],
  run: async checks => {
    const fault = await lay()
    try {
      for (const engine of ['batch', 'dgram']) {
        const name = `long datagrams, odd headers and both families pass, on ${engine}`
        if (fault !== '') checks.skip(name, `no network can be laid here (${fault})`)
        else {
          await checks.check(name, async () => {
            const { code, stdout, stderr } = await runProgram(pathOf('ip'), ['netns', 'exec', home, process.execPath, join(root, 'dist/e2e/paths/inside.js'), engine, far])
            if (code !== 0) throw new Error(`${stdout}${stderr}`)
          })
        }
      }
    } finally {
      for (const name of [home, router, far]) await ip(`netns delete ${name}`)
    }
  }
}
