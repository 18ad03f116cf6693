// GET /targets: what queries can be answered with at this moment, and how busy it is.
import { Type } from '@sinclair/typebox'
import type { Target } from '#rpc/contract.js'
import type { ControlDeps } from '../deps.js'
import { closed, refTo } from '../schemas/named.js'
import { DEFAULT_LIMIT, pagingFields, readPaging } from '../schemas/paging.js'
import { TargetsPageSchema } from '../schemas/target.js'
import type { TypedApp } from '../typed-app.js'

/** Adds GET /targets. */
export function addTargetRoutes (app: TypedApp, deps: ControlDeps): void {
  app.get('/targets', {
    preValidation: readPaging,
    schema: {
      operationId: 'listTargets',
      summary: 'Usable targets, page by page.',
      description: 'Every object of a configured resource type in an allowed namespace that has an address and a port. Ordered by resource type and namespace.',
      tags: ['admin'],
      querystring: Type.Object(pagingFields, closed),
      response: { 200: refTo(TargetsPageSchema) },
      problems: ['INVALID_REQUEST']
    }
  }, (request, reply) => {
    const { cursor = 0, limit = DEFAULT_LIMIT } = request.query
    const targets = usableTargets(deps)
    const end = cursor + limit
    void reply.send({
      targets: targets.slice(cursor, end).map(target => ({
        ...target,
        sessions: deps.load.sessions(target.key),
        pendingTokens: deps.registry.pending(target.key)
      })),
      ...(end < targets.length ? { nextCursor: end } : {}),
      total: targets.length
    })
  })
}

function usableTargets ({ config, inventory, selector }: ControlDeps): Target[] {
  const targets: Target[] = []
  for (const resourceType of Object.keys(config.resourceQueryMapping)) {
    for (const namespace of [...inventory.namespaces()].sort()) {
      // Fails if there is none, or the namespace is not open to queries: both mean nothing to list.
      const found = selector.select({ resourceType, namespace })
      if (found.ok) for (const { target } of found.value) targets.push(target)
    }
  }
  return targets
}
