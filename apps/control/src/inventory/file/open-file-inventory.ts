// The inventory without a cluster: a directory (or one file) of YAML or JSON Kubernetes objects, read again as a whole
// whenever it changes. What is broken is reported and replaced by what it last said when it was not.
import type { ResourceMapping } from '#config/schema.js'
import { err, ok, type Result } from '#core/result.js'
import type { Inventory } from '../objects/inventory.js'
import { heldTypes, type IndexPaths } from '../objects/resource-types.js'
import { createStore } from '../store/store.js'
import { FollowedFiles, type FollowedFilesDeps } from './followed-files.js'
import { listPath, pathFaults, type PathFault } from './read-path.js'

export interface FileInventoryDeps extends FollowedFilesDeps {
  /** The configured mappings: objects of no type in here are ignored, but for Services that a mapping routes to. */
  readonly mappings: Readonly<Record<string, ResourceMapping>>
  /** See `indexedPaths`. */
  readonly indexPaths?: IndexPaths
}

/** Why there is no inventory at `path`, with a sentence for the operator. */
export interface OpenFailure {
  readonly reason: PathFault
  readonly message: string
}

/**
 * Opens the inventory at `path` and reads it once. Fails only if the path itself cannot be read. A file that is broken
 * from the start has no last good content and so contributes nothing, but the inventory is `synced` all the same: one
 * bad file must not keep a director from serving the others. `status().faults` has it as `file:line:column: message`.
 * `ageMs` counts from the last moment at which everything was read and nothing was wrong, or from the opening.
 */
export async function openFileInventory (deps: FileInventoryDeps): Promise<Result<Inventory, OpenFailure>> {
  const listing = await listPath(deps.path)
  if (!listing.ok) {
    return err({ reason: listing.error, message: `inventory.path: ${deps.path} ${pathFaults[listing.error]}` })
  }
  const types = heldTypes(deps.mappings)
  const store = createStore(types.keys(), deps.indexPaths)
  const files = new FollowedFiles(deps, types, store)
  await files.read(listing.value)
  const { find, count, get, sizes, namespaces, onChange } = store
  return ok({ find, count, get, sizes, namespaces, onChange, status: () => files.status(), unready: () => undefined, close: () => files.close() })
}
