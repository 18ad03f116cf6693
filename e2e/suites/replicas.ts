// Several replicas behind one address: a balancer that forgets, replicas that are killed, a store that is. In network
// namespaces, so it needs what may make them, and a kernel with nftables and connection tracking.
import { join } from 'node:path'
import { runProgram } from '#testkit/processes/run-program.js'
import { pathOf, type Suite } from '../checks.js'
import { runInside } from '../inside.js'
import { must } from '../sdk/tools.js'
import { namespacePrograms, whyNoNamespaces } from '../namespaces.js'

export const replicas: Suite = {
  name: 'Replicas: three behind one address',
  needs: [...namespacePrograms, 'conntrack', 'nft', 'python3', 'redis-cli', 'redis-server'],
  run: async (checks, folder) => {
    const why = await whyNoNamespaces() ?? await whyNoBalancer()
    if (why === undefined) await runInside(checks, 'replicas/inside.js', checks.isLong ? [await pythonWithQuic(folder)] : [])
    else checks.skip('all of it', why)
  }
}

async function whyNoBalancer (): Promise<string | undefined> {
  const rule = 'table ip probe { chain probe { type nat hook prerouting priority dstnat; udp dport 1 dnat to jhash ip saddr mod 1 map { 0 : 10.0.0.1 }; }; }'
  const probe = await runProgram(pathOf('unshare'), ['--net', 'sh', '-c', '"$1" "$2" && "$3" --dump', 'sh', pathOf('nft'), rule, pathOf('conntrack')])
  return probe.code === 0 ? undefined : `this kernel has no balancer for us (${probe.stderr.trim()}): nftables with NAT, hashes and connection tracking`
}

// Here, because there is no way to PyPI from a network of our own.
async function pythonWithQuic (folder: string): Promise<string> {
  await must(pathOf('python3'), ['-m', 'venv', 'quic'], folder)
  await must(join(folder, 'quic/bin/pip'), ['install', '--quiet', '--disable-pip-version-check', 'aioquic==1.7.2'], folder)
  return join(folder, 'quic/bin/python')
}
