// What everything in a simulated world shares.
import type { Address } from '../cast/address-book.js'
import type { SharedBook } from '../checks/shared-book.js'
import type { Watch } from '../checks/invariants.js'
import type { Network } from '../cast/network.js'
import type { Plant } from '../checks/plants.js'
import type { Profile } from '../cast/profile.js'
import type { Random } from '../basics/random.js'
import type { WorldStore } from '../cast/world-store.js'
import type { Trace } from '../basics/trace.js'
import type { VirtualTime } from '../basics/virtual-time.js'

export interface Surroundings {
  readonly random: Random
  readonly time: VirtualTime
  readonly trace: Trace
  readonly watch: Watch
  readonly network: Network
  readonly profile: Profile
  /** The bug that is planted, if any. */
  readonly plant: Plant | undefined
  /** The store that directors share, and the book of what they have promised together; undefined if they share nothing. */
  readonly store: WorldStore | undefined
  readonly shared: SharedBook | undefined
  readonly servers: { readonly receive: (endpoint: number, fromPort: number, bytes: Uint8Array) => void }
  readonly clients: { readonly receive: (address: Address, dataPort: number) => void }
}
