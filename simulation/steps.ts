// What happens in a world, one step after the other: some time passes, somebody does something, and what must hold is checked.
import { actions, type ActionName } from './actions.js'
import { settle } from './basics/virtual-time.js'
import type { Plant } from './checks/plants.js'
import type { Profile } from './cast/profile.js'
import { World } from './world.js'

/** Everything is looked at once in so many steps; what a datagram or a call has touched, at once. */
const SCAN_STEPS = 16

const names = Object.keys(actions) as ActionName[]

export class Steps {
  readonly world: World
  readonly #weights: readonly number[]
  readonly #allWeights: number
  #count = 0

  constructor (seed: number, plant: Plant | undefined, isShared: boolean) {
    const world = this.world = new World({ seed, plant, isShared }, names)
    this.#weights = names.map(name => actions[name].weight * weightOf(world.profile, actions[name].group))
    this.#allWeights = this.#weights.reduce((sum, weight) => sum + weight, 0)
  }

  async next (): Promise<void> {
    const { world } = this
    // The processes start.
    if (this.#count === 0) await settle()
    await world.pass()
    const index = this.#anyAction()
    const action = actions[names[index]!]
    world.trace.note('step', world.time.nowMs, ++this.#count, index)
    action.run(world)
    if (action.wakes) await settle()
    world.check()
    if (this.#count % SCAN_STEPS === 0) world.scan()
  }

  #anyAction (): number {
    let left = this.world.random.next() * this.#allWeights
    for (const [index, weight] of this.#weights.entries()) {
      left -= weight
      if (left < 0) return index
    }
    return 0
  }
}

function weightOf ({ unrest }: Profile, group: typeof actions[ActionName]['group']): number {
  return group === 'players' || group === 'time' ? 1 : unrest[group]
}
