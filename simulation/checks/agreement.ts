// What control and proxy must agree on once nothing has changed for a while: where new clients without a token go, and that
// nobody is left on a target that is gone.
import { NOTICE_MS } from '../../apps/control/src/inventory/kubernetes/kubernetes-inventory.js'
import { COUNTS_PERIOD_MS } from '../../apps/proxy/src/rpc/event-stream.js'
import { isAnswer, isGone } from './inventory-view.js'
import type { Watch } from './invariants.js'
import { isNamed, type Place } from '../cast/objects.js'
import type { Profile } from '../cast/profile.js'
import { isInStep, type Keeper, type Promiser } from './promiser.js'
import type { VirtualTime } from '../basics/virtual-time.js'

/** A count that is told, a call under way, the call after it, each with all its ways. */
const WAYS = 8

export interface AgreementOptions {
  readonly time: VirtualTime
  readonly watch: Watch
  readonly profile: Profile
}

export class Agreement {
  readonly #options: AgreementOptions
  readonly #quietMs: number

  constructor (options: AgreementOptions) {
    const { mostCallDelayMs, mostShardDelayMs } = options.profile
    this.#options = options
    this.#quietMs = 2 * COUNTS_PERIOD_MS + NOTICE_MS + WAYS * (mostCallDelayMs + 2 * mostShardDelayMs)
  }

  /** `soleSinceMs` is since when this control process has been the only one. */
  check (control: Promiser, soleSinceMs: number, life: Keeper): void {
    const { time } = this.#options
    const untilMs = time.nowMs - this.#quietMs
    if (soleSinceMs > untilMs || control.synchronisedMs > untilMs || !isInStep(control, life)) return
    if (control.view.changedMs <= untilMs) this.#checkDefaults(control, life)
    this.#checkGone(control, untilMs, life)
  }

  /** A control process is about to say that these targets are gone: where sessions may move then is as it was told by then. */
  leaving (control: Promiser, keys: readonly string[], life: Keeper): void {
    const { profile: { config: { defaultEndpoint, onTargetGone } }, watch } = this.#options
    if (defaultEndpoint === undefined || onTargetGone !== 'default' || !isInStep(control, life)) return
    const toldMs = control.view.toldOf(keys)
    for (const { ledger: { candidates } } of life.shards) {
      for (const { key } of candidates) watch.hold('defaultsFollow', control.view.since(key, toldMs).some(seen => isAnswer(seen, defaultEndpoint)), key, 'is where sessions would move, and does not match any more')
    }
  }

  #checkDefaults ({ view }: Promiser, life: Keeper): void {
    const { profile: { config: { defaultEndpoint, loadBalancing } }, watch } = this.#options
    const wanted = defaultEndpoint === undefined ? new Map<string, Place>() : view.matching(defaultEndpoint)
    for (const { ledger: { candidates, areCandidatesAll } } of life.shards) {
      for (const { key, address } of candidates) watch.hold('defaultsFollow', view.mayBe(wanted.get(key), address), key, 'is a candidate and should not be')
      // Those without a free place are left out, and names that are not resolved.
      if (!areCandidatesAll || loadBalancing.type === 'labelArithmetic') continue
      for (const [key, at] of wanted) watch.hold('defaultsFollow', isNamed(at) || candidates.some(candidate => candidate.key === key), key, 'should be a candidate')
    }
  }

  #checkGone ({ view }: Promiser, untilMs: number, life: Keeper): void {
    const { profile: { config: { onTargetGone } }, watch } = this.#options
    if (onTargetGone !== 'close') return
    for (const { ledger } of life.shards) {
      for (const id of [...ledger.entries.keys()]) {
        const entry = ledger.entryOf(id)
        if (entry === undefined || entry.changedMs > untilMs) continue
        const seen = view.now(entry.place.key)
        watch.hold('goneTargetsAreLeft', seen === undefined || seen.sinceMs > untilMs || !isGone(seen), id, entry.place.key)
      }
    }
  }
}
