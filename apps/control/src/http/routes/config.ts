// GET /config: the configuration in effect, defaults included. It holds no secrets; a key that ever does is left out here.
import { Type } from '@sinclair/typebox'
import type { Config } from '#config/schema.js'
import { named, refTo } from '../schemas/named.js'
import type { TypedApp } from '../listener/listener.js'

// Opaque: it changes with the program and not with the API, and what generators make of a schema this deep is of no use.
export const EffectiveConfigSchema = named('Config', Type.Unsafe<object>({
  type: 'object',
  additionalProperties: true,
  description: 'The configuration in effect, defaults included. Its keys are those of docs/config.md, which docs/config.schema.json describes as JSON Schema.',
  examples: [{ queryPort: 9000, adminPort: 9090, dataPorts: [{ name: 'default', protocol: 'udp', port: 7777 }] }]
}))

/** Adds GET /config. */
export function addConfigRoute (app: TypedApp, { config }: { readonly config: Config }): void {
  app.get('/config', {
    schema: {
      operationId: 'getConfig',
      summary: 'The configuration in effect.',
      description: 'With every default, as the processes were started with it. It holds no secrets.',
      tags: ['admin'],
      response: { 200: refTo(EffectiveConfigSchema) }
    }
  }, (_request, reply) => { void reply.send(config) })
}
