// What the sessions' side of the core is told once, at its start.
import type { GoneActionName } from '../ledger/counters.js'
import type { SliceSize } from '../tables/slice-size.js'
import type { AdmissionOptions } from './admission.js'
import type { DefaultChoice } from './default-endpoint.js'

export interface SessionOptions extends AdmissionOptions {
  readonly sessionTimeoutMs: number
  readonly onTargetGone: GoneActionName
  readonly defaultChoice: DefaultChoice
  readonly limits: AdmissionOptions['limits'] & { readonly maxTokens: number, readonly maxTargets: number }
  /** What the ids of sessions start with, so that they differ from those of other cores. Default: nothing. */
  readonly sessionIdPrefix?: string
  /** Where tokens are marked as redeemed, if other cores have the same tokens: a word each, a bit a data port. Default: memory of this core's own. */
  readonly claims?: Int32Array | undefined
  /** How much is done before datagrams have their turn. Default: what takes well below a millisecond. */
  readonly slice?: SliceSize | undefined
  /** Uniform in [0, 1). Seeds the tables' hashes and draws random candidates; fix it to replay a run. */
  readonly random: () => number
}
