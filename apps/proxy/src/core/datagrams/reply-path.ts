// Datagrams from targets: whose client gets them, and which of them get nowhere. Allocates nothing.
import { EndCause } from '../ledger/counters.js'
import { DropReason } from '../ledger/drop-reason.js'
import { FORWARD, type Verdict } from '../ledger/verdict.js'
import type { CoreState } from './core-state.js'

/** Judges what came on `flow`, from its target. */
export function judgeReply (state: CoreState, flow: number, byteCount: number, isTruncated: boolean, now: number): Verdict {
  const { flows, sessions, options } = state
  const slot = flows.session(flow)
  if (slot >= 0 && state.isExpired(slot, now)) state.endSession(slot, EndCause.timeout, now)
  if (flows.isLingering(flow)) {
    flows.touchLingering(flow, now)
    return DropReason.staleTarget
  }
  if (isTruncated) return DropReason.truncated
  if (byteCount > options.limits.maxDatagramBytes) return DropReason.oversize
  const { amplificationFactor } = options.limits
  if (amplificationFactor > 0 && sessions.wouldAmplify(slot, byteCount, amplificationFactor)) return DropReason.amplification
  if (options.refreshOn === 'both') sessions.touch(slot, now)
  sessions.countToClient(slot, byteCount)
  return FORWARD
}
