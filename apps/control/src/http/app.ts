// The two HTTP servers of the control process, put together plugin by plugin and route by route.
import Fastify from 'fastify'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { BaseLogger } from 'pino'
import type { Config } from '#config/schema.js'
import type { Authenticators } from './auth/open-authenticators.js'
import { addApiDocument, addApiDocumentRoute } from './document/api-document.js'
import { addDocsPage } from './document/docs-page.js'
import type { GuardDeps } from './guards/guard-deps.js'
import { addGuards } from './guards/guards.js'
import { addProblems } from './problems/problems.js'
import { sendProblem, type AnyReply } from './problems/problem.js'
import { addConfigRoute, EffectiveConfigSchema } from './routes/config.js'
import { addHealthRoutes } from './routes/health.js'
import type { HealthDeps } from './routes/health-report.js'
import { addMetricsRoute, type MetricsRouteDeps } from './routes/metrics.js'
import { addQueryMetrics, addQueryRoute, type QueryMetricsDeps, type QueryRouteDeps } from './routes/query.js'
import { addReplicaRoutes, type ReplicaRouteDeps } from './routes/replicas.js'
import { addSessionRoutes, type SessionRouteDeps } from './routes/sessions.js'
import { addTargetRoutes, type TargetRouteDeps } from './routes/targets.js'
import { addTokenRoutes, type TokenRouteDeps } from './routes/tokens.js'
import { healthSchemas } from './schemas/health.js'
import type { Named } from './schemas/named.js'
import { ProblemSchema } from './schemas/problem.js'
import { querySchemas, tokenSchemas } from './schemas/query.js'
import { replicaSchemas } from './schemas/replica.js'
import { sessionSchemas } from './schemas/session.js'
import { targetSchemas } from './schemas/target.js'
import type { Listener, TypedApp } from './listener/listener.js'

// A request that trickles in for longer than this is given up; bodies are small.
const REQUEST_TIMEOUT_MS = 10_000
// How often connections are looked at for that; Node's default is half a minute, which would be added to it.
const CONNECTIONS_CHECK_MS = 2000

interface AppDeps {
  readonly config: Pick<Config, 'limits'>
  readonly log: BaseLogger
  readonly authenticators: Authenticators
}

/** The features behind each listener: what its guards and routes take of them. */
export type PublicFeatures = AppDeps & GuardDeps & QueryRouteDeps & HealthDeps & QueryMetricsDeps
export type AdminFeatures = AppDeps & GuardDeps & TokenRouteDeps & SessionRouteDeps & ReplicaRouteDeps & TargetRouteDeps & MetricsRouteDeps & HealthDeps

/** The public listener: queries and health. */
export async function buildPublicApp (features: PublicFeatures): Promise<TypedApp> {
  const app = await createApp(features, 'public', [...querySchemas, ...tokenSchemas])
  addQueryMetrics(app, features)
  await addGuards(app, features, 'public')
  addQueryRoute(app, features)
  addHealthRoutes(app, features, 'public')
  addApiDocumentRoute(app, 'public')
  return app
}

/** The admin listener: tokens, sessions, replicas, targets, metrics, configuration, health and the documentation page. */
export async function buildAdminApp (features: AdminFeatures): Promise<TypedApp> {
  const app = await createApp(features, 'admin', [...tokenSchemas, ...targetSchemas, ...sessionSchemas, ...replicaSchemas, EffectiveConfigSchema])
  await addGuards(app, features, 'admin')
  await addDocsPage(app)
  addTokenRoutes(app, features)
  addSessionRoutes(app, features)
  addReplicaRoutes(app, features)
  addTargetRoutes(app, features)
  addConfigRoute(app, features)
  addMetricsRoute(app, features)
  addHealthRoutes(app, features, 'admin')
  addApiDocumentRoute(app, 'admin')
  return app
}

async function createApp ({ config, log, authenticators }: AppDeps, tag: Listener, schemas: readonly Named[]): Promise<TypedApp> {
  const app = Fastify({
    // Ours is handed in and used where there is something to say; a line per request would cost more than a query.
    logger: false,
    bodyLimit: config.limits.maxBodyBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // A request without a Host header is ours to refuse, in our own words.
    // Where the limit for headers is the longer one, as by default, Node takes that for the whole request.
    http: { headersTimeout: REQUEST_TIMEOUT_MS, connectionsCheckingInterval: CONNECTIONS_CHECK_MS, requireHostHeader: false },
    // While closing, requests on open connections still get our own answers.
    return503OnClosing: false,
    frameworkErrors: (_error, _request, reply) => { sendProblem(reply as unknown as AnyReply, { code: 'INVALID_REQUEST', detail: 'The URL is not valid.' }) },
    // Unknown fields are faults, text is not a number, and all faults are told; see problems/request-faults.ts.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, allErrors: true, verbose: true } }
  }).withTypeProvider<TypeBoxTypeProvider>()
  addProblems(app, log)
  await addApiDocument(app, tag, authenticators[tag].isRequired)
  for (const schema of [ProblemSchema, ...healthSchemas, ...schemas]) app.addSchema(schema)
  return app
}
