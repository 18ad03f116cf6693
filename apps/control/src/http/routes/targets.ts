// GET /targets: what queries can be answered with at this moment, and how busy it is; and which objects not, and why.
import { Type } from '@sinclair/typebox'
import type { Config, Selection } from '#config/schema.js'
import type { Clock } from '#core/clock.js'
import { inTurns } from '#core/in-turns.js'
import { Pace } from '#core/pace.js'
import type { Slices } from '#core/slices.js'
import { Work } from '#jsonpath/work.js'
import type { Target } from '#rpc/contract.js'
import type { Inventory } from '../../inventory/objects/inventory.js'
import type { TargetLoad } from '../../proxies/target-load.js'
import type { Selector } from '../../query/selector.js'
import { unusable } from '../../targets/candidate.js'
import { targetKey } from '../../targets/target-key.js'
import { closed, refTo } from '../schemas/named.js'
import { DEFAULT_LIMIT, pagingFields, readPaging } from '../schemas/paging.js'
import { MAX_UNUSABLE, TargetsPageSchema } from '../schemas/target.js'
import type { TypedApp } from '../listener/listener.js'

/** What there is to list. */
export interface ListedTargets {
  readonly config: Pick<Config, 'resourceQueryMapping'>
  readonly inventory: Pick<Inventory, 'namespaces' | 'find'>
  readonly selector: Pick<Selector, 'candidateOf' | 'search'>
}

export interface TargetRouteDeps extends ListedTargets {
  readonly clock: Clock
  readonly load: Pick<TargetLoad, 'allSessions' | 'allPending'>
}

/** Adds GET /targets. */
export function addTargetRoutes (app: TypedApp, deps: TargetRouteDeps): void {
  app.get('/targets', {
    preValidation: readPaging,
    schema: {
      operationId: 'listTargets',
      summary: 'Usable targets, page by page, and what is not usable.',
      description: 'Every object of a configured resource type in an allowed namespace that has an address and a port; in `unusable` those that cannot be used, with the reason. Ordered by resource type and namespace.',
      tags: ['admin'],
      querystring: Type.Object(pagingFields, closed),
      response: { 200: refTo(TargetsPageSchema) },
      problems: ['INVALID_REQUEST']
    }
  }, async (request, reply) => {
    const { cursor = 0, limit = DEFAULT_LIMIT } = request.query
    const { targets, refused, refusedTotal } = await inTurns(listed(deps), deps.clock)
    const end = cursor + limit
    await reply.send({
      targets: targets.slice(cursor, end).map(target => ({
        ...target,
        sessions: deps.load.allSessions(target.key),
        pendingTokens: deps.load.allPending(target.key)
      })),
      ...(end < targets.length ? { nextCursor: end } : {}),
      total: targets.length,
      unusable: refused,
      unusableTotal: refusedTotal
    })
  })
}

/** Objects judged in one slice: a millisecond or two. */
const SLICE_OBJECTS = 200

interface Listed {
  readonly targets: Target[]
  readonly refused: Array<{ key: string, reason: string }>
  refusedTotal: number
}

// A few hundred objects in one slice.
export function * listed ({ config, inventory, selector }: ListedTargets): Slices<Listed> {
  const lists: Listed = { targets: [], refused: [], refusedTotal: 0 }
  const pace = new Pace(SLICE_OBJECTS)
  for (const resourceType of Object.keys(config.resourceQueryMapping)) {
    for (const namespace of [...inventory.namespaces()].sort()) {
      const candidateOf = selector.candidateOf(resourceType)
      if (candidateOf === undefined || !(yield * mayBeListed(selector, { resourceType, namespace }))) continue
      // All at once, because the lists are only to be read while nothing changes.
      for (const object of [...inventory.find(resourceType, namespace)]) {
        const candidate = candidateOf(object)
        if (candidate.ok) lists.targets.push(candidate.value.target)
        else if (lists.refusedTotal++ < MAX_UNUSABLE) lists.refused.push({ key: targetKey({ resourceType, namespace, name: object.metadata.name }), reason: unusable[candidate.error] })
        if (pace.isFull()) yield
      }
    }
  }
  return lists
}

// Fails if none is usable too; any other failure means that there is nothing to list.
function * mayBeListed (selector: Pick<Selector, 'search'>, selection: Selection): Slices<boolean> {
  const found = yield * selector.search(selection, 1, new Work(Infinity))
  return found.ok || found.error.code === 'NO_MATCHING_RESOURCE'
}
