// Several addresses: replies leave from the one the player sent to. In network namespaces, so it needs what may make them.
import { join } from 'node:path'
import { root } from '#testkit/processes/node-program.js'
import { runProgram } from '#testkit/processes/run-program.js'
import { pathOf, type Suite } from '../checks.js'

export const addresses: Suite = {
  name: 'Addresses: a host with several of both families',
  needs: ['ip', 'nsenter', 'unshare'],
  run: async checks => {
    const unshare = pathOf('unshare')
    const probe = await runProgram(unshare, ['--net', pathOf('ip'), 'link', 'add', 'c0', 'type', 'veth', 'peer', 'name', 'd0'])
    if (probe.code !== 0) {
      checks.skip('all of it', `this user may not make network namespaces (${probe.stderr.trim()}); run it as root`)
      return
    }
    const { stdout, stderr, code } = await runProgram(unshare, ['--net', process.execPath, join(root, 'dist/e2e/addresses/inside.js')])
    for (const line of stdout.split('\n').filter(line => line !== '')) {
      const { name, fault } = JSON.parse(line) as { name: string, fault?: string }
      await checks.check(name, () => fault === undefined ? Promise.resolve() : Promise.reject(new Error(fault)))
    }
    await checks.check('all of it was run', () => code === 0 ? Promise.resolve() : Promise.reject(new Error(stderr)))
  }
}
