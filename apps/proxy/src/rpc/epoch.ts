// Which life of control is in charge. A control process that was replaced, and does not know it yet, must not speak.
import { err } from '#core/result.js'
import { rpcFailure, rpcErrors, type RpcFailure } from '#rpc/failure.js'

export type Refusal = { readonly ok: false, readonly error: RpcFailure }

export class EpochGuard {
  #epoch = 0

  get current (): number { return this.#epoch }

  /** A snapshot starts an epoch, or repeats the present one. Undefined is success. */
  start (epoch: number): Refusal | undefined {
    if (epoch < this.#epoch) return this.#stale()
    this.#epoch = epoch
    return undefined
  }

  /** Every other call belongs to the epoch of the last snapshot. Undefined is success. */
  check (epoch: number): Refusal | undefined {
    if (epoch < this.#epoch) return this.#stale()
    return epoch > this.#epoch ? rpcFailure('NOT_READY') : undefined
  }

  #stale (): Refusal {
    return err({ code: 'EPOCH_STALE', message: rpcErrors.EPOCH_STALE.meaning, epoch: this.#epoch })
  }
}
