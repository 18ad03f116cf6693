// GET /config: the configuration in effect, defaults included. It holds no secrets; a key that ever does is left out here.
import { ConfigSchema } from '#config/schema.js'
import type { ControlDeps } from '../deps.js'
import { named, refTo } from '../schemas/named.js'
import type { TypedApp } from '../typed-app.js'

export const EffectiveConfigSchema = named('Config', { ...ConfigSchema, description: 'The configuration in effect, defaults included.' })

/** Adds GET /config. */
export function addConfigRoute (app: TypedApp, { config }: ControlDeps): void {
  app.get('/config', {
    schema: {
      operationId: 'getConfig',
      summary: 'The configuration in effect.',
      tags: ['admin'],
      response: { 200: refTo(EffectiveConfigSchema) }
    }
  }, (_request, reply) => { void reply.send(config) })
}
