// Several replicas behind one address: a balancer that forgets, replicas that are killed, a store that is. In network
// namespaces, so it needs what may make them, and a kernel with nftables and connection tracking.
import { runProgram } from '#testkit/processes/run-program.js'
import { pathOf, type Suite } from '../checks.js'
import { runInside } from '../inside.js'
import { namespacePrograms, whyNoNamespaces } from '../namespaces.js'

export const replicas: Suite = {
  name: 'Replicas: three behind one address',
  needs: [...namespacePrograms, 'conntrack', 'nft', 'redis-sentinel', 'redis-server'],
  run: async checks => {
    const why = await whyNoNamespaces() ?? await whyNoBalancer()
    if (why === undefined) await runInside(checks, 'replicas/inside.js', checks.isLong ? ['--long'] : [])
    else checks.skip('all of it', why)
  }
}

async function whyNoBalancer (): Promise<string | undefined> {
  const rule = 'table ip probe { chain probe { type nat hook prerouting priority dstnat; udp dport 1 dnat to jhash ip saddr mod 1 map { 0 : 10.0.0.1 }; }; }'
  const probe = await runProgram(pathOf('unshare'), ['--net', 'sh', '-c', '"$1" "$2" && "$3" --dump', 'sh', pathOf('nft'), rule, pathOf('conntrack')])
  return probe.code === 0 ? undefined : `this kernel has no balancer for us (${probe.stderr.trim()}): nftables with NAT, hashes and connection tracking`
}
