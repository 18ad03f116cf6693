// The DNS of one simulated control process: it answers late, with where a server is at that moment, and sometimes not at all.
import { err, ok, type Result } from '#core/result.js'
import type { NameResolver } from '../../apps/control/src/names/host-names.js'
import type { NameAnswer, NameFailure } from '../../apps/control/src/names/known-name.js'
import type { InventoryView } from '../checks/inventory-view.js'
import { keyOfHost, type Fleet, type GameServer } from '../cast/fleet.js'
import type { Surroundings } from './surroundings.js'

export interface SimResolverOptions {
  readonly surroundings: Surroundings
  readonly fleet: Fleet
  readonly view: InventoryView
  /** It has said something else of this server than before. */
  readonly onChanged: (key: string) => void
  readonly isAlive: () => boolean
}

const SILENT = 0.05
const MOST_TTL_SECONDS = 10

export class SimResolver implements NameResolver {
  readonly #options: SimResolverOptions

  constructor (options: SimResolverOptions) {
    this.#options = options
  }

  readonly resolve = async (name: string): Promise<Result<NameAnswer, NameFailure>> => {
    const { surroundings: { random, time, profile: { mostInventoryDelayMs } }, isAlive } = this.#options
    return await new Promise(resolve => {
      time.plan(random.between(0, mostInventoryDelayMs), () => { if (isAlive()) resolve(this.#answer(name)) }, true)
    })
  }

  readonly close = (): void => undefined

  #answer (name: string): Result<NameAnswer, NameFailure> {
    const { surroundings: { random, plant }, fleet, view, onChanged } = this.#options
    if (random.chance(SILENT)) return err('no_answer')
    const server = fleet.named(name)
    view.resolved(name, server?.place.address)
    onChanged(keyOfHost(name))
    const told: GameServer | undefined = plant === 'namesMixed' ? fleet.live[0] ?? server : server
    return told === undefined ? err('no_address') : ok({ addresses: [told.place.address], ttlSeconds: random.between(1, MOST_TTL_SECONDS) })
  }
}
