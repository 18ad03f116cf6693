// What becomes of tokens and sessions when the inventory changes under them: tokens are withdrawn if their target is gone or no
// longer what was asked for, and the proxy is told of targets that are gone or have moved to another address or port. Looks
// only at what changed: a change that concerns no token and no session costs three look-ups.
import { isDeepStrictEqual } from 'node:util'
import type { Cancel, Clock } from '#core/clock.js'
import type { GoneTarget, Target } from '#rpc/contract.js'
import type { Token } from '#wire/token.js'
import type { Inventory, InventoryChange, KubeObject } from '../../inventory/objects/inventory.js'
import type { NameLookup } from '../candidate.js'
import type { Selector } from '../../query/selector.js'
import type { ObjectName } from '../target-key.js'
import { objectFromKey, targetKey } from '../target-key.js'
import type { TargetLoad } from '../../proxies/target-load.js'
import type { TokenRegistry } from '../../tokens/token-registry.js'
import { Backlog } from './backlog.js'
import { Departures } from './departures.js'
import { Places } from './places.js'
import { standingOf } from './standing.js'
import { TokenReview } from './token-review.js'
import type { TouchedObjects } from './touched-objects.js'

export interface TargetWatchDeps {
  readonly inventory: Pick<Inventory, 'get' | 'unready' | 'onChange'>
  readonly touched: TouchedObjects
  /** Whether it means something if an object of this type and namespace is not there. */
  readonly holds: (resourceType: string, namespace: string) => boolean
  readonly selector: Pick<Selector, 'recheck' | 'candidateOf'>
  readonly names: Pick<NameLookup, 'isSettled'>
  readonly registry: Pick<TokenRegistry, 'pending' | 'unredeemed'>
  readonly load: Pick<TargetLoad, 'sessions'>
  readonly clock: Clock
  /** Makes tokens for one target void. */
  readonly withdraw: (tokens: readonly Token[]) => void
  /** Before and how the proxy is told of targets that are gone; see Departures. */
  readonly ready: () => Promise<void>
  readonly leave: (gone: GoneTarget[]) => Promise<Readonly<Record<string, number>> | undefined>
}

/** How often targets are looked at again that the inventory could say nothing of, in milliseconds. */
export const UNKNOWN_RETRY_MS = 1000

/** Objects judged in one turn: about a millisecond. */
const LOOKS_PER_TURN = 200

export class TargetWatch {
  readonly #deps: TargetWatchDeps
  readonly #departures: Departures
  readonly #places = new Places()
  readonly #stopListening: () => void
  // By key: what cannot be judged while the inventory has not been read.
  readonly #unknown = new Map<string, Look>()
  // By key: what is to be judged.
  readonly #due = new Map<string, Look>()
  readonly #backlog: Backlog
  readonly #review: TokenReview
  #cancelRetry: Cancel | undefined

  /** Watches from now on, until `close`. */
  constructor (deps: TargetWatchDeps) {
    this.#deps = deps
    this.#departures = new Departures({
      ready: deps.ready,
      leave: deps.leave,
      sessionsOf: key => deps.load.sessions(key)
    })
    this.#review = new TokenReview(deps)
    this.#backlog = new Backlog(deps.clock, LOOKS_PER_TURN, () => this.#judgeNext())
    this.#stopListening = deps.inventory.onChange(changes => { this.#changed(changes) })
  }

  /** Sessions may come to `target`, which is where its object is now. */
  expect (target: Target): void {
    this.#places.expect(target)
  }

  /**
   * Whether a target that another director chose is gone: its object is, or is at another place now. Otherwise sessions may come to it,
   * as after `expect`. What the inventory cannot say is not gone.
   */
  isGone (target: Target): boolean {
    const name = objectFromKey(target.key)
    if (name === undefined) return false
    const { resourceType, namespace } = name
    const { inventory, holds, selector, names } = this.#deps
    if (!holds(resourceType, namespace) || inventory.unready(resourceType, namespace) !== undefined) return false
    const standing = standingOf(inventory.get(resourceType, namespace, name.name), selector.candidateOf(resourceType), names)
    if (standing.kind === 'gone' || (standing.kind === 'at' && standing.isSettled && !isSamePlace(standing.target, target))) return true
    this.#places.expect(target)
    return false
  }

  /** The proxy has counted sessions anew: some may be on a target that was gone, or elsewhere, before they were known. */
  counted (keys: Iterable<string>): void {
    for (const key of keys) {
      const name = objectFromKey(key)
      if (name !== undefined) this.#look({ name, key, before: undefined })
    }
    this.#judgeSome()
  }

  /** The link to the proxy is up, again or for the first time: what it was told may have been another one, without those sessions. */
  synchronised (): void {
    this.counted(this.#departures.told())
  }

  close (): void {
    this.#stopListening()
    this.#cancelRetry?.()
    this.#backlog.close()
    this.#review.close()
  }

  #changed (changes: readonly InventoryChange[]): void {
    for (const change of changes) {
      for (const name of this.#deps.touched(change)) {
        const key = targetKey(name)
        // Counts of sessions are late: those of an object that was replaced may not be known yet.
        const before = name === change && isOther(change.after, change.before) ? change.before : undefined
        if (before !== undefined || this.#isAtStake(key)) this.#look({ name, key, before })
      }
    }
    this.#judgeSome()
  }

  // One look at an object, as it is then, is enough for all that happened to it.
  #look (look: Look): void {
    this.#due.set(look.key, { ...look, before: look.before ?? this.#due.get(look.key)?.before })
  }

  #judgeSome (): void {
    this.#backlog.goOn()
    void this.#departures.send()
  }

  // What it has cost.
  #judgeNext (): number {
    const [look] = this.#due.values()
    if (look === undefined) return 0
    this.#due.delete(look.key)
    this.#judge(look)
    if (this.#due.size === 0) void this.#departures.send()
    return 1
  }

  #isAtStake (key: string): boolean {
    return this.#places.has(key) || this.#deps.registry.pending(key) > 0 || this.#deps.load.sessions(key) > 0
  }

  #judge (look: Look): void {
    const { name: { resourceType, namespace, name }, key, before } = look
    const { inventory, holds } = this.#deps
    if (!holds(resourceType, namespace)) return
    if (inventory.unready(resourceType, namespace) !== undefined) {
      if (this.#isAtStake(key)) this.#lookLater({ ...look, before: before ?? this.#unknown.get(key)?.before })
      return
    }
    this.#review.review(key, name)
    this.#judgeSessions(look, inventory.get(resourceType, namespace, name))
  }

  #judgeSessions ({ name: { resourceType }, key, before }: Look, object: KubeObject | undefined): void {
    const { selector, names } = this.#deps
    const standing = standingOf(object, selector.candidateOf(resourceType), names)
    if (standing.kind === 'at') this.#judgePlace(standing.target, standing.isSettled, isOther(object, before))
    // Who was on the former object of the name is on none.
    else if (standing.kind === 'gone' || isOther(object, before)) this.#isGone(key)
    else this.#departures.present(key)
  }

  #judgePlace (target: Target, isSettled: boolean, isOther: boolean): void {
    const { key } = target
    const hasSessions = this.#deps.load.sessions(key) > 0
    if (isOther || (isSettled && !this.#places.areAt(target) && (hasSessions || this.#places.has(key)))) {
      this.#departures.replaced(key, target)
      this.#places.settle(target)
      return
    }
    if (!isSettled && !this.#places.areAt(target)) this.#places.scatter(key)
    this.#departures.present(key, target)
  }

  #isGone (key: string): void {
    this.#departures.gone(key)
    if (this.#deps.load.sessions(key) === 0) this.#places.forget(key)
  }

  #lookLater (look: Look): void {
    this.#unknown.set(look.key, look)
    this.#cancelRetry ??= this.#deps.clock.after(UNKNOWN_RETRY_MS, () => {
      this.#cancelRetry = undefined
      for (const look of this.#unknown.values()) this.#look(look)
      this.#unknown.clear()
      this.#judgeSome()
    })
  }
}

interface Look {
  readonly name: ObjectName
  readonly key: string
  /** The object as it was, if it went. */
  readonly before: KubeObject | undefined
}

function isSamePlace (one: Target, other: Target): boolean {
  return one.address === other.address && isDeepStrictEqual(one.ports, other.ports)
}

// The file inventory's objects need not have a uid: there, one of the same name is the same.
function isOther (object: KubeObject | undefined, before: KubeObject | undefined): boolean {
  if (before === undefined) return false
  const { uid } = before.metadata
  return object === undefined || (uid !== undefined && object.metadata.uid !== undefined && object.metadata.uid !== uid)
}
