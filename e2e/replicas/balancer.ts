// The balancer: nftables sends each new flow to one of the replicas, and connection tracking keeps it there, as kube-proxy does it
// (nft(8), "NAT statements" and "hash expressions"; conntrack(8)).
import { addressOf, SHARED, type Network } from './network.js'
import { dataPorts } from './places.js'

/** `flow`: a hash of the flow's source and its data port, drawn anew by another seed. `random`: by chance, as kube-proxy. */
export type Choice = 'flow' | 'random'

export interface Balancer {
  /** From now on new flows go to these replicas. Flows that are known stay where they are. */
  readonly spread: (choice: Choice, replicas: readonly number[]) => Promise<void>
  /** Forgets every flow, as a restart of kube-proxy does. */
  readonly flush: () => Promise<void>
  /** Forgets the flows to this replica, as kube-proxy does when an endpoint is gone. */
  readonly forget: (replica: number) => Promise<void>
}

// What comes from a data port and belongs to no flow that is known would reach the player from an address that they know
// nothing of; and the flow that it makes would have the player's next datagram leave here from another port.
const table = `table ip balancer {
  chain forward {
    type filter hook forward priority 0
    ip saddr 10.30.0.0/16 udp sport { ${Object.values(dataPorts).join(', ')} } ct state new drop
  }
  chain spread {
    type nat hook prerouting priority dstnat
  }
}`

export async function openBalancer ({ balancer }: Network): Promise<Balancer> {
  await balancer.run('nft', table)
  let seed = 0
  return {
    spread: async (choice, replicas) => {
      const number = choice === 'random' ? 'numgen random' : 'jhash ip saddr . udp sport . udp dport'
      const drawn = choice === 'random' ? '' : `seed ${++seed}`
      const map = replicas.map((replica, index) => `${index} : ${addressOf(replica)}`).join(', ')
      await balancer.run('nft', `flush chain ip balancer spread; add rule ip balancer spread ip daddr ${SHARED} meta l4proto udp dnat to ${number} mod ${replicas.length} ${drawn} map { ${map} }`)
    },
    flush: async () => { await balancer.run('conntrack', '--flush') },
    forget: async replica => {
      // It fails if there are none.
      await balancer.run('sh', '-c', `conntrack --delete --proto udp --reply-src ${addressOf(replica)} || true`)
    }
  }
}
