// Every generated file and how it is made.
import { openapiDocument } from '../../apps/control/src/openapi.js'
import { configPage } from './config-page.js'
import { configJsonSchema } from './config-schema.js'
import { dashboard } from './dashboard.js'
import { errorsPage } from './errors-page.js'
import { metricsPage } from './metrics-page.js'
import { rpcPage } from './rpc-page.js'

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

/** The text of each file by its path in the repository. */
export const documents: Readonly<Record<string, () => string | Promise<string>>> = {
  'docs/config.md': configPage,
  'docs/config.schema.json': () => json(configJsonSchema()),
  'docs/errors.md': errorsPage,
  'docs/metrics.md': metricsPage,
  'docs/rpc.md': rpcPage,
  'k8s/components/prometheus/dashboard.json': () => json(dashboard()),
  'openapi/admin.json': async () => json(await openapiDocument('admin')),
  'openapi/public.json': async () => json(await openapiDocument('public'))
}
