// The admin listener's page to read and try its API. It needs no key: it shows what is in the repository, and the key for
// trying goes into its dialog `Authorize`. Address lists, names and rates are for it as for everything else.
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'

// As the plugin's own for a static page, but for `upgrade-insecure-requests`, which sends browsers to https, where nobody
// answers, unless the name is that of the machine itself; and with nothing from anywhere else.
function contentSecurityPolicy ({ script, style }: FastifyInstance['swaggerCSP']): string {
  return [
    "default-src 'self'",
    "base-uri 'self'",
    "font-src 'self' data:",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "img-src 'self' data:",
    "object-src 'none'",
    `script-src 'self' ${script.join(' ')}`,
    "script-src-attr 'none'",
    `style-src 'self' ${style.join(' ')}`
  ].join('; ')
}

/** Serves the API documentation at /docs. */
export async function addDocsPage (app: FastifyInstance): Promise<void> {
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    theme: { title: 'UDP Director Admin' },
    // Without the bar on top, which loads documents from anywhere; it also styles itself inline. And not the validator on
    // somebody else's server, which the plugin asks for.
    uiConfig: { layout: 'BaseLayout', docExpansion: 'list', tryItOutEnabled: true, validatorUrl: null },
    staticCSP: true,
    transformStaticCSP: () => contentSecurityPolicy(app.swaggerCSP)
  })
}
