// A star of network namespaces: this process, with the players, the game servers and the store, is in one already; the
// balancer is in the middle, and each replica has a host of its own.
//
//   players, game servers, store        balancer, router                   replicas
//   c0  10.9.0.100  ─────────────────── b0  10.9.0.1    r1  10.30.1.1 ───  d0 10.30.1.2   :7777, :7778, :9000, :9090
//                                       10.20.0.1       r2  10.30.2.1 ───  d0 10.30.2.2
//                                                       r3  10.30.3.1 ───  d0 10.30.3.2
import { openNamespace, orThrow, type Namespace } from '../namespaces.js'

/** Where players, game servers and the store are. */
export const HERE = '10.9.0.100'

/** The one address of all replicas. Nobody has it; the balancer sends it on. */
export const SHARED = '10.20.0.1'

/** The numbers of the replicas. */
export const everyReplica: readonly number[] = [0, 1, 2]

export interface Network {
  readonly balancer: Namespace
  /** What starts a program at the host of this replica; the first is 0. */
  readonly hosts: readonly Namespace[]
}

/** The address of a replica; the first is 0. */
export function addressOf (replica: number): string {
  return `10.30.${replica + 1}.2`
}

/** Which replica has this address; -1 if none has. */
export function replicaAt (address: string): number {
  return everyReplica.findIndex(replica => addressOf(replica) === address)
}

export async function openNetwork (): Promise<Network> {
  const balancer = await openNamespace('the balancer')
  const hosts = await Promise.all(everyReplica.map(async replica => await openNamespace(`the host of replica ${replica + 1}`)))
  await orThrow('ip', 'link', 'set', 'lo', 'up')
  await orThrow('ip', 'link', 'add', 'c0', 'type', 'veth', 'peer', 'name', 'b0', 'netns', balancer.pid)
  await orThrow('ip', 'address', 'add', `${HERE}/24`, 'dev', 'c0')
  await orThrow('ip', 'link', 'set', 'c0', 'up')
  await balancer.run('ip', 'address', 'add', '10.9.0.1/24', 'dev', 'b0')
  await balancer.run('ip', 'link', 'set', 'b0', 'up')
  await balancer.run('sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward')
  for (const [replica, host] of hosts.entries()) await connect(balancer, host, replica)
  await orThrow('ip', 'route', 'add', 'default', 'via', '10.9.0.1')
  return { balancer, hosts }
}

async function connect (balancer: Namespace, host: Namespace, replica: number): Promise<void> {
  const [link, gateway] = [`r${replica + 1}`, `10.30.${replica + 1}.1`]
  await balancer.run('ip', 'link', 'add', link, 'type', 'veth', 'peer', 'name', 'd0', 'netns', host.pid)
  await balancer.run('ip', 'address', 'add', `${gateway}/24`, 'dev', link)
  await balancer.run('ip', 'link', 'set', link, 'up')
  await host.run('ip', 'link', 'set', 'lo', 'up')
  await host.run('ip', 'address', 'add', `${addressOf(replica)}/24`, 'dev', 'd0')
  await host.run('ip', 'link', 'set', 'd0', 'up')
  await host.run('ip', 'route', 'add', 'default', 'via', gateway)
}
