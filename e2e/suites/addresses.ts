// Several addresses: replies leave from the one the player sent to. In network namespaces, so it needs what may make them.
import type { Suite } from '../checks.js'
import { runInside } from '../inside.js'
import { namespacePrograms, whyNoNamespaces } from '../namespaces.js'

export const addresses: Suite = {
  name: 'Addresses: a host with several of both families',
  needs: namespacePrograms,
  run: async checks => {
    const why = await whyNoNamespaces()
    if (why === undefined) await runInside(checks, 'addresses/inside.js')
    else checks.skip('all of it', why)
  }
}
