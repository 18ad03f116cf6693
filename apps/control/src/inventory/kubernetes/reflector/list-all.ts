// A whole list, page by page.
import { err, ok, type Result } from '#core/result.js'
import type { KubeObject } from '../../objects/inventory.js'
import type { ApiFailure } from '../api/api-failure.js'
import type { ListPage } from '../api/object-from-api.js'
import type { Query, Transport } from '../api/transport.js'
import { silent, type Attempts } from './attempts.js'
import { isOlder } from './collection.js'
import type { Intake } from './intake.js'

/** Objects a page: what client-go asks for. */
const PAGE_LIMIT = 500
const LIST_IDLE_MS = 30_000
const LIST_TOTAL_MS = 300_000

export interface ListDeps {
  readonly transport: Pick<Transport, 'list'>
  readonly attempts: Attempts
  readonly intake: Pick<Intake, 'pageFrom'>
  /** Of the resource, see `pathOf`. */
  readonly path: string
}

export interface Listed {
  readonly objects: readonly KubeObject[]
  /** Of the first page: what has changed since is told by a watch from there. */
  readonly version: string
}

/** All objects as they are now, in pages or, if `isUnpaged`, in one piece. */
export async function listAll (deps: ListDeps, isUnpaged: boolean): Promise<Result<Listed, ApiFailure>> {
  const objects = new Map<string, KubeObject>()
  const limit = isUnpaged ? {} : { limit: PAGE_LIMIT }
  let version: string | undefined
  let token: string | undefined
  do {
    const page = await nextPage(deps, { ...limit, ...(token === undefined ? { resourceVersion: '' } : { continue: token }) })
    if (!page.ok) return page
    const { resourceVersion, continueToken } = page.value
    if (continueToken !== undefined && continueToken === token) return err({ reason: 'malformed', detail: 'the list never ends' })
    version ??= resourceVersion
    token = continueToken
    for (const object of page.value.objects) keepNewest(objects, object)
  } while (token !== undefined)
  return ok({ objects: [...objects.values()], version })
}

async function nextPage ({ transport, attempts, intake, path }: ListDeps, query: Query): Promise<Result<ListPage, ApiFailure>> {
  const watchdog = attempts.begin(LIST_TOTAL_MS, LIST_IDLE_MS)
  const life = { hasBegun: false }
  const onLife = (): void => {
    life.hasBegun = true
    watchdog.touch(LIST_IDLE_MS)
  }
  const body = await transport.list(path, query, { signal: watchdog.signal, onLife })
  watchdog.end()
  if (!body.ok) return err(watchdog.overrun === undefined ? body.error : life.hasBegun ? { ...silent, isPartial: true } : silent)
  return intake.pageFrom(body.value)
}

// An object that changes while pages are read may be on two of them.
function keepNewest (objects: Map<string, KubeObject>, object: KubeObject): void {
  const { namespace, name, resourceVersion } = object.metadata
  const key = `${namespace}/${name}`
  if (!isOlder(resourceVersion, objects.get(key)?.metadata.resourceVersion)) objects.set(key, object)
}
