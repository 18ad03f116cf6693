// The simulated network: datagrams get lost, come twice, come late and overtake each other, each way.
import type { NetworkProfile } from './profile.js'
import type { Random } from '../basics/random.js'
import type { VirtualTime } from '../basics/virtual-time.js'

export class Network {
  readonly #profile: NetworkProfile
  readonly #random: Random
  readonly #time: VirtualTime
  sent = 0
  lost = 0
  delivered = 0
  #inFlight = 0

  constructor (profile: NetworkProfile, random: Random, time: VirtualTime) {
    this.#profile = profile
    this.#random = random
    this.#time = time
  }

  /** Copies on their way. */
  get inFlight (): number { return this.#inFlight }

  /** Sends a datagram on its way; `arrive` is called for every copy that makes it. */
  send (arrive: () => void): void {
    const { duplication } = this.#profile
    this.#travel(arrive)
    if (duplication > 0 && this.#random.chance(duplication)) this.#travel(arrive)
  }

  #travel (arrive: () => void): void {
    const { loss, leastDelayMs, mostDelayMs } = this.#profile
    this.sent++
    if (loss > 0 && this.#random.chance(loss)) {
      this.lost++
      return
    }
    this.#inFlight++
    this.#time.plan(this.#random.between(leastDelayMs, mostDelayMs), () => {
      this.#inFlight--
      this.delivered++
      arrive()
    }, false)
  }
}
