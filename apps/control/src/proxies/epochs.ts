// The epochs of this process: each connection to a proxy has one, above all that the proxy has seen. Decides when this process must
// give way to a newer one, which has a higher epoch, and how it comes above that one when it takes over.
import type { Hello } from '#rpc/contract.js'
import type { RpcFailure } from '#rpc/failure.js'

// Two processes that take over in the same millisecond are told apart by it.
const EPOCH_SPREAD = 1000

export class Epochs {
  #current: number | undefined
  #takesOver = false

  /** Of the present connection, or of the last one; undefined before the first. */
  get current (): number | undefined {
    return this.#current
  }

  /** Whether a control process controls the proxy. An older proxy does not say: one that a newer control process has told something counts as controlled by it. */
  isControlled ({ controlled, epoch }: Hello): boolean {
    return controlled ?? epoch > (this.#current ?? 0)
  }

  /** The next connection may take the proxy from whoever has it, unless somebody controls it by then. */
  takeOver (): void {
    this.#takesOver = true
  }

  /** Begins the epoch of a connection; false if a newer control process has the proxy. `random` is uniform in [0, 1). */
  begin (hello: Hello, wallMs: number, random: () => number): boolean {
    const current = this.#current
    const next = Math.max(wallMs, hello.epoch + 1)
    if (current === undefined) this.#current = next
    else if (hello.epoch > current && (this.isControlled(hello) || !this.#takesOver)) return false
    else this.#current = this.#takesOver ? Math.max(next, current + 1) + Math.floor(random() * EPOCH_SPREAD) : current + 1
    this.#takesOver = false
    return true
  }

  /** Whether a call failed because this process has begun another connection since. */
  isOwnPast ({ code, epoch }: RpcFailure): boolean {
    return code === 'EPOCH_STALE' && epoch !== undefined && epoch <= (this.#current ?? 0)
  }
}
