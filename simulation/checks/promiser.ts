// Who makes promises and who has to keep them: a control process and a life of the proxy, as far as the books ask them.
import type { Token } from '#wire/token.js'
import type { ProxyPeer } from '../../apps/control/src/proxies/proxy-peer.js'
import type { TargetLoad } from '../../apps/control/src/proxies/target-load.js'
import type { TokenRegistry } from '../../apps/control/src/tokens/token-registry.js'
import type { InventoryView } from './inventory-view.js'
import type { ShardLedger } from './ledger.js'

/** A control process. */
export interface Promiser {
  readonly number: number
  readonly isAlive: boolean
  readonly link: Pick<ProxyPeer, 'isSynchronised' | 'isRevoking' | 'status'>
  readonly registry: Pick<TokenRegistry, 'has'>
  /** Sessions and tokens of each target, as far as it knows. */
  readonly load: Pick<TargetLoad, 'of'>
  /** When it last came into step with a proxy. */
  readonly synchronisedMs: number
  /** What its inventory has been given. */
  readonly view: InventoryView
}

/** A life of the proxy. */
export interface Keeper {
  readonly number: number
  readonly instanceId: string
  readonly isAlive: boolean
  readonly shards: ReadonlyArray<{ readonly ledger: ShardLedger }>
  /** Whether a client can redeem a token now on every data port where nobody has, whichever shard it comes to. */
  readonly worksEverywhere: (token: Token) => boolean
  /** Whether a token can be redeemed anywhere. */
  readonly worksAnywhere: (token: Token) => boolean
  /** Whether somebody has redeemed a token on one of the data ports. */
  readonly hasRedeemed: (token: Token) => boolean
}

/** Whether the control process says of itself that it is in step with this life of the proxy. */
export function isInStep (control: Promiser, life: Keeper): boolean {
  return control.isAlive && control.link.isSynchronised && isKnown(control, life)
}

/** Whether this is the proxy it last spoke with. */
export function isKnown ({ link }: Pick<Promiser, 'link'>, life: Keeper): boolean {
  return link.status().proxy?.instanceId === life.instanceId
}
