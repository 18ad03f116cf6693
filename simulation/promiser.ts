// A control process as far as its promises go: what the books of the simulation ask it.
import type { ProxyPeer } from '../apps/control/src/proxies/proxy-peer.js'
import type { TokenRegistry } from '../apps/control/src/tokens/token-registry.js'
import type { InventoryView } from './inventory-view.js'
import type { ProxyLife } from './proxy-life.js'

export interface Promiser {
  readonly number: number
  readonly isAlive: boolean
  readonly link: Pick<ProxyPeer, 'isSynchronised' | 'isRevoking' | 'status'>
  readonly registry: Pick<TokenRegistry, 'has'>
  /** What its inventory has been given. */
  readonly view: InventoryView
}

/** Whether it says of itself that it is in step with this life of the proxy. */
export function isInStep ({ isAlive, link }: Promiser, life: ProxyLife): boolean {
  return isAlive && link.isSynchronised && isKnown({ link }, life)
}

/** Whether this is the proxy it last spoke with. */
export function isKnown ({ link }: Pick<Promiser, 'link'>, life: ProxyLife): boolean {
  return link.status().proxy?.instanceId === life.instanceId
}
