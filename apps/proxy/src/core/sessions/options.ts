// What the sessions' side of the core is told once, at its start. Bounds, times and rules are the configuration's own: a new
// limit is here as soon as it is in the schema, a new rule when its key is named in `SessionRules`. docs/config.md explains each.
import type { InMs } from '#core/durations.js'
import type { Config, Limits } from '#config/schema.js'
import type { SliceSize } from '../tables/slice-size.js'
import type { AccessLists } from './access-list.js'
import type { PortRange } from './port-set.js'

/** Every bound; those on what belongs to clients are this core's share. */
export type CoreLimits = InMs<Limits>

/** How this core takes part where several replicas share a store. */
export interface Sharing {
  /** Whether clients without a session are asked about, too: they may have one at another replica. */
  readonly follow: boolean
  /** Ids of asks are this one, and every `askIdStep` on: the shard's number, and how many shards there are. */
  readonly firstAskId: number
  readonly askIdStep: number
}

type SessionRules = 'sessionTimeoutSeconds' | 'onTargetGone'

export interface SessionOptions extends InMs<Pick<Config, SessionRules>> {
  readonly defaultChoice: Config['loadBalancing']['type']
  readonly limits: CoreLimits
  /** Source ports from which no default-endpoint session is made. Default: none. */
  readonly blockedSourcePorts?: readonly PortRange[] | undefined
  /** Whose datagrams are looked at. Default: everyone's. */
  readonly clients?: AccessLists | undefined
  /** What the ids of sessions start with, so that they differ from those of other cores. Default: nothing. */
  readonly sessionIdPrefix?: string
  /** Default: nothing is shared, this director is alone. */
  readonly sharing?: Sharing | undefined
  /** Where tokens are marked as redeemed, if other cores have the same tokens: a word each, a bit a data port. Default: memory of this core's own. */
  readonly claims?: Int32Array | undefined
  /** How much is done before datagrams have their turn. Default: what takes well below a millisecond. */
  readonly slice?: SliceSize | undefined
  /** Uniform in [0, 1). Seeds the tables' hashes and draws random candidates; fix it to replay a run. */
  readonly random: () => number
}
