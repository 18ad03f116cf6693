// The OpenAPI 3.1 document of one listener, made from its routes' schemas, and where it is served.
import swagger from '@fastify/swagger'
import type { FastifyInstance, FastifySchema } from 'fastify'
import { Type } from '@sinclair/typebox'
import type { Listener } from '../listener/listener.js'
import type { ErrorCode } from '../problems/errors.js'
import { problemResponses } from '../schemas/problem.js'
import { isOpenRoute } from '../guards/callers.js'
import { guardErrors } from '../guards/guards.js'

/** Version of the API, not of the program: raised when an answer changes its meaning. */
export const API_VERSION = '1.0.0'

const errorsNote = 'Errors are `application/problem+json` with a stable `code`. Requests are closed: an unknown field is a fault; a field that may be left out may be null or `[]` instead. Answers are open: a version of the same number may add fields and values.'

const about: Readonly<Record<Listener, { readonly title: string, readonly description: string }>> = {
  public: { title: 'UDP Director', description: `Ask for a game server, get a token, send it over UDP. ${errorsNote}` },
  admin: { title: 'UDP Director Admin', description: `Tokens, sessions, targets, metrics and configuration of a director. ${errorsNote}` }
}

const descriptions: Readonly<Record<Listener, string>> = {
  public: 'Queries and health, on `queryPort`.',
  admin: 'Tokens, sessions, targets, metrics and configuration, on `adminPort`. Not meant for the internet.'
}

type Json = Record<string, unknown>

/** Registers the document's maker; must run before the routes. `isKeyRequired` for all but the open ones. */
export async function addApiDocument (app: FastifyInstance, tag: Listener, isKeyRequired: boolean): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        ...about[tag],
        version: API_VERSION,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' }
      },
      tags: [{ name: tag, description: descriptions[tag] }],
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'A key or a signed token, as `queryAuth` and `adminAuth` say.' } } }
    },
    convertConstToEnum: false,
    refResolver: { buildLocalReference: (json, _base, _fragment, index) => (json as { $id?: string }).$id ?? `Schema${index}` },
    transform: ({ schema, url }) => ({ schema: withProblems(isOpenRoute(tag, url) ? { ...schema, security: [] } : guarded(schema, isKeyRequired)), url }),
    transformObject: document => documented('openapiObject' in document ? document.openapiObject as unknown as Json : {})
  })
}

/** `GET /openapi.json`: this listener's part. */
export function addApiDocumentRoute (app: FastifyInstance, tag: Listener): void {
  let document: Buffer | undefined
  app.get('/openapi.json', {
    schema: {
      operationId: 'getApiDocument',
      summary: 'This document.',
      description: 'The same for every caller. What `npm run gen` commits adds where the listener is by default.',
      tags: [tag],
      response: { 200: Type.Unsafe({ type: 'object', additionalProperties: true, description: 'The OpenAPI 3.1 document of this listener.', examples: [{ openapi: '3.1.0', info: { title: 'UDP Director', version: API_VERSION }, paths: {} }] }) }
    }
  }, (_request, reply) => {
    // Made once: answers that wait to be taken share it.
    document ??= Buffer.from(JSON.stringify(app.swagger()))
    void reply.header('content-type', 'application/json; charset=utf-8').send(document)
  })
}

// Without a key in the configuration it may be left out, which an empty requirement says (OpenAPI 3.1, Security Requirement Object).
function guarded (schema: FastifySchema = {}, isKeyRequired: boolean): FastifySchema {
  const { problems = [] } = schema
  const added = guardErrors.filter(code => !problems.includes(code))
  return { ...schema, security: isKeyRequired ? [{ bearer: [] }] : [{}, { bearer: [] }], problems: [...problems, ...added] }
}

// Problems are documented with the responses but not compiled with them: a serializer for every error of every route
// made the start of the process seconds longer.
function withProblems ({ problems, response, ...schema }: FastifySchema = {}): FastifySchema {
  return { ...schema, response: { ...response as object, ...problemResponses(...problems ?? []) } }
}

declare module 'fastify' {
  interface FastifySchema {
    /** Codes the route can answer with, for the document; INTERNAL is always among them. */
    readonly problems?: readonly ErrorCode[]
  }
}

// Generators do not know some of the keywords that we validate with, so the document says the same in keywords of OpenAPI 3.0.
// A choice between two forms is documented by oneOf (see eitherOf), bounds of names by their description alone.
function documented (document: Json): Json {
  const components = document['components'] as { schemas?: Record<string, Json> } | undefined
  for (const schema of Object.values(components?.schemas ?? {})) {
    for (const property of Object.values((schema['properties'] ?? {}) as Record<string, Json>)) Reflect.deleteProperty(property, 'propertyNames')
    if (schema['if'] === undefined) continue
    schema['oneOf'] = [schema['else'], schema['then']]
    for (const keyword of ['if', 'then', 'else', 'type']) Reflect.deleteProperty(schema, keyword)
  }
  return document
}
