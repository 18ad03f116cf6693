// Which host names the inventory's objects use, followed as objects come and go; and the inventory as it looks with
// names resolved: an object whose name leads elsewhere has changed, though not a byte of it has.
import type { BaseLogger } from 'pino'
import type { Config } from '#config/schema.js'
import type { Clock } from '#core/clock.js'
import type { ChangeListener, Inventory, InventoryChange } from '../inventory/objects/inventory.js'
import { isServiceBased } from '../inventory/objects/resource-types.js'
import type { NameLookup } from '../targets/candidate.js'
import { HostNames, type NameResolver } from './host-names.js'
import { compileHosts, type HostsOf } from '../targets/hosts.js'
import { targetKey } from '../targets/target-key.js'

export interface HostNamesSurroundings {
  readonly config: Pick<Config, 'resourceQueryMapping' | 'limits'>
  readonly inventory: Inventory
  readonly resolver: NameResolver
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly log: BaseLogger
}

export interface FollowedHostNames {
  readonly names: NameLookup
  /** The same inventory, of which `onChange` also tells when the name of an object leads elsewhere: `before` and `after` are that object. */
  readonly inventory: Inventory
  /** Ends the lookups; the inventory stays open. */
  readonly close: () => void
}

/** Keeps the names that mapped objects use resolved, from now on. */
export function followHostNames ({ config, inventory, resolver, clock, random, log }: HostNamesSurroundings): FollowedHostNames {
  const listeners = new Set<ChangeListener>()
  const users = new NameUsers(config.resourceQueryMapping)
  const tell = (changes: readonly InventoryChange[]): void => { for (const listener of [...listeners]) listener(changes) }
  const names = new HostNames({
    resolver,
    clock,
    random,
    log,
    maxNames: config.limits.maxHostNames,
    onChange: changed => { tell(changed.flatMap(name => [...users.of(name)])) }
  })
  const follow = (changes: Iterable<InventoryChange>): void => {
    for (const name of users.take(changes)) {
      if (users.has(name)) names.add(name)
      else names.delete(name)
    }
  }
  follow(users.all(inventory))
  const stop = inventory.onChange(changes => {
    follow(changes)
    tell(changes)
  })
  return {
    names,
    inventory: {
      ...inventory,
      onChange: listener => {
        const call: ChangeListener = changes => { listener(changes) }
        listeners.add(call)
        return () => { listeners.delete(call) }
      }
    },
    close: () => {
      stop()
      names.close()
    }
  }
}

// Which objects use which names. Objects without names, which are nearly all, leave nothing behind.
class NameUsers {
  readonly #hostsOf: ReadonlyMap<string, HostsOf>
  readonly #namesOf = new Map<string, readonly string[]>()
  readonly #users = new Map<string, Map<string, InventoryChange>>()

  constructor (mappings: Config['resourceQueryMapping']) {
    const direct = Object.entries(mappings).filter(([, mapping]) => !isServiceBased(mapping))
    this.#hostsOf = new Map(direct.map(([type, mapping]) => [type, compileHosts(mapping)]))
  }

  /** What is there already, as if it came now. */
  * all (inventory: Pick<Inventory, 'find' | 'namespaces'>): Iterable<InventoryChange> {
    for (const resourceType of this.#hostsOf.keys()) {
      for (const namespace of inventory.namespaces()) {
        for (const after of inventory.find(resourceType, namespace)) yield { resourceType, namespace, name: after.metadata.name, before: undefined, after }
      }
    }
  }

  /** The objects that use `name`, each as a change of its own. */
  of (name: string): Iterable<InventoryChange> {
    return this.#users.get(name)?.values() ?? []
  }

  has (name: string): boolean {
    return this.#users.has(name)
  }

  /** Takes the changes in; answers which names may have their first user now, or have had their last. */
  take (changes: Iterable<InventoryChange>): ReadonlySet<string> {
    const touched = new Set<string>()
    for (const { resourceType, namespace, name, after } of changes) {
      const key = targetKey({ resourceType, namespace, name })
      const names = after === undefined ? [] : this.#hostsOf.get(resourceType)?.(after).names ?? []
      for (const former of this.#namesOf.get(key) ?? []) this.#leave(former, key)
      for (const current of names) this.#join(current, key, { resourceType, namespace, name, before: after, after })
      for (const either of [...this.#namesOf.get(key) ?? [], ...names]) touched.add(either)
      if (names.length === 0) this.#namesOf.delete(key)
      else this.#namesOf.set(key, names)
    }
    return touched
  }

  #join (name: string, key: string, change: InventoryChange): void {
    const users = this.#users.get(name) ?? new Map<string, InventoryChange>()
    this.#users.set(name, users)
    users.set(key, change)
  }

  #leave (name: string, key: string): void {
    const users = this.#users.get(name)
    users?.delete(key)
    if (users?.size === 0) this.#users.delete(name)
  }
}
