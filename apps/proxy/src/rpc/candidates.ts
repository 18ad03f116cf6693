// A list of the default endpoint's candidates that comes in several calls, until all of it is there.
import { ok, type Result } from '#core/result.js'
import { MAX_DEFAULT_TARGETS, type Target } from '#rpc/contract.js'
import { rpcFailure, type RpcFailure } from '#rpc/failure.js'

/** What a call says of the list; see the contract. */
export interface CandidatesPart {
  readonly defaultTargets: readonly Target[]
  readonly after?: number | undefined
  readonly more?: boolean | undefined
}

export class Candidates {
  #soFar: Target[] = []

  /** The whole list with its last part, nothing before that. A part that does not follow the one before is refused. */
  take ({ defaultTargets, after = 0, more = false }: CandidatesPart): Result<readonly Target[] | undefined, RpcFailure> {
    // Whatever came of a list that is not gone on with is over.
    if (after === 0) this.#soFar = []
    if (after !== this.#soFar.length) return rpcFailure('INVALID', `${this.#soFar.length} candidates came before, not ${after}`)
    if (after + defaultTargets.length > MAX_DEFAULT_TARGETS) return rpcFailure('INVALID', `more than ${MAX_DEFAULT_TARGETS} candidates`)
    this.#soFar.push(...defaultTargets)
    if (more) return ok(undefined)
    const all = this.#soFar
    this.#soFar = []
    return ok(all)
  }
}
