// The configuration in README.md is one that this loader takes, and it means what its comments say.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { formatFaults } from '../src/fault.js'
import { parseConfig } from '../src/load/load-config.js'

const readme = readFileSync('README.md', 'utf8')

void t.test('the example configuration of the README loads', async t => {
  const example = /^```yaml\n(# config\.yaml\n.*?)^```$/ms.exec(readme)?.[1] ?? ''
  t.not(example, '', 'it is there')
  const loaded = parseConfig(example, '/srv/config.yaml')
  if (!loaded.ok) {
    t.fail(formatFaults('README.md', loaded.error))
    return
  }
  const { config } = loaded.value
  t.strictSame(config.dataPorts.map(({ name, port }) => [name, port]), [['game', 7777], ['voice', 7778]])
  t.equal(config.inventory.path, '/srv/inventory', 'relative to the file')
  t.equal(config.defaultEndpoint?.resourceType, 'gameserver')
  const { queryPort, adminPort, tokenTtlSeconds, sessionTimeoutSeconds, controlPacketMagicBytes } = config
  const defaults = parseConfig('inventory: {provider: file, path: inventory}', '/srv/config.yaml')
  t.ok(defaults.ok)
  if (defaults.ok) t.match(defaults.value.config, { queryPort, adminPort, tokenTtlSeconds, sessionTimeoutSeconds, controlPacketMagicBytes }, 'numbers it shows are the defaults')
})
