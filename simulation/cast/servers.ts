// What game servers do: answer what they get, at once or late, some of it twice, also when they are long out of the
// inventory and the session has left.
import type { Fleet } from './fleet.js'
import type { Network } from './network.js'
import type { Profile } from './profile.js'
import type { Random } from '../basics/random.js'
import type { VirtualTime } from '../basics/virtual-time.js'

export interface ServersOptions {
  readonly fleet: Fleet
  readonly network: Network
  readonly profile: Profile
  readonly random: Random
  readonly time: VirtualTime
  /** One of them has the upstream port that something is sent to; no two ever have the same. */
  readonly directors: ReadonlyArray<{ readonly fromTarget: (upstreamPort: number, words: Uint32Array, port: number, bytes: Uint8Array) => void }>
}

const SILENT = 0.1
const TWICE = 0.1

export class Servers {
  readonly #options: ServersOptions

  constructor (options: ServersOptions) {
    this.#options = options
  }

  readonly receive = (endpoint: number, fromPort: number, bytes: Uint8Array): void => {
    const { fleet, profile: { mostAnswerMs }, random, time } = this.#options
    const words = fleet.at(endpoint)
    if (words === undefined) throw new Error('a datagram went to an endpoint that never was')
    const answers = random.chance(SILENT) ? 0 : random.chance(TWICE) ? 2 : 1
    for (let answer = 0; answer < answers; answer++) {
      const send = (): void => { this.send(words, endpoint % 65_536, fromPort, bytes) }
      if (mostAnswerMs === 0) send()
      else time.plan(random.between(0, mostAnswerMs), send, false)
    }
  }

  /** Somebody sends to an upstream port of a proxy. */
  send (words: Uint32Array, port: number, toPort: number, bytes: Uint8Array): void {
    const { network, directors } = this.#options
    network.send(() => { for (const director of directors) director.fromTarget(toPort, words, port, bytes) })
  }
}
