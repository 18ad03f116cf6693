// Configuration files: any text, any document, and above all sound documents with something wrong.
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { stringify } from 'yaml'
import { parseConfig } from '#config/load/load-config.js'
import { ConfigSchema } from '#config/schema.js'
import { fuzzTarget, must, type FuzzTarget } from '../fuzz-target.js'

const sound = {
  bindAddress: '::',
  dataPorts: [{ name: 'game', port: 7777 }, { name: 'voice', port: 0 }],
  inventory: { provider: 'file', path: 'inventory' },
  namespaces: ['games'],
  allowedTargets: ['10.0.0.0/8'],
  clients: { allow: ['::/0'], deny: ['192.0.2.0/24'] },
  blockedSourcePorts: [53, '0-1023'],
  loadBalancing: { type: 'labelArithmetic', currentLabel: 'players', maxLabel: 'capacity' },
  defaultEndpoint: { resourceType: 'gameserver', namespace: 'games', labelSelector: { map: 'lobby' }, statusQuery: { jsonPath: 'status.state', expectedValues: ['Ready'] } },
  resourceQueryMapping: {
    gameserver: { group: 'agones.dev', version: 'v1', resource: 'gameservers', addressPath: 'status.address', ports: [{ name: 'game', portName: 'default' }, { name: 'voice', portPath: 'status.ports[1].port' }] },
    service: { group: '', version: 'v1', resource: 'pods', serviceSelectorLabel: 'app', serviceTargetPortName: 'udp' }
  },
  limits: { maxSessions: 1000, amplificationFactor: 3 },
  tokenTtlSeconds: 30
}

const odd = fc.oneof(fc.constantFrom<unknown>(null, true, 0, -1, 1.5, 7777, 65_536, 1e21, Infinity, NaN, '', 'x', 'game', 'file', 'kubernetes', '0-1023', '9-1', '10.0.0.0/33', 'status..x', 'a\nb', 'constructor', {}, [], [[]]), fc.jsonValue({ maxDepth: 2 }))
const key = fc.oneof(fc.constantFrom(...Object.keys(ConfigSchema.properties), 'dataPort', 'tokenTTLSeconds', 'expectedValue', 'name', 'port', 'resource', 'portName', '__proto__', 'constructor', 'toString', 'a\nb'), fc.string({ maxLength: 8 }))

const edit = fc.record({ way: fc.array(fc.nat(), { maxLength: 5 }), do: fc.constantFrom('set' as const, 'remove' as const, 'add' as const, 'repeat' as const), key, value: odd })

type Edit = typeof edit extends fc.Arbitrary<infer Value> ? Value : never

const nearly = fc.array(edit, { maxLength: 3 }).map(edits => {
  const document: Record<string, unknown> = structuredClone(sound)
  for (const edit of edits) change(document, edit)
  return stringify(document)
})

const anything = fc.letrec(tie => ({
  tree: fc.oneof({ maxDepth: 5 }, odd, fc.array(tie('tree'), { maxLength: 3 }), fc.dictionary(key, tie('tree'), { maxKeys: 4 }))
})).tree

/** @param parse what is tried */
export function config (parse = parseConfig): FuzzTarget {
  return fuzzTarget({
    name: 'config',
    what: 'any file as configuration: faults with a place and a sentence each, or a frozen one that loads again as the same',
    inputs: fc.oneof({ weight: 4, arbitrary: nearly }, { weight: 1, arbitrary: fc.dictionary(key, anything, { maxKeys: 6 }).map(value => stringify(value)) }, { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 80 }) }),
    corpus: [stringify(sound), 'a: &a [*a]', '? {}\n: 1'],
    testRuns: 200,
    open: () => ({
      check: text => {
        const loaded = parse(text, '/etc/config.yaml')
        if (!loaded.ok) {
          must(loaded.error.length > 0 && loaded.error.every(({ path, message }) => path !== '' && /[.?!]$/.test(message)), `faults ${JSON.stringify(loaded.error)}`)
          return
        }
        const { config } = loaded.value
        must(Object.isFrozen(config) && Object.isFrozen(config.limits) && Object.isFrozen(config.dataPorts), 'the configuration can be changed')
        const again = parse(stringify(config), '/etc/config.yaml')
        must(again.ok && isDeepStrictEqual(again.value.config, config), `loaded again it is ${JSON.stringify(again)}`)
      }
    })
  })
}

function change (document: Record<string, unknown>, { way, do: what, key, value }: Edit): void {
  let place: Record<string, unknown> = document
  let name = ''
  for (const step of [...way, 0]) {
    const names = Object.keys(place)
    name = names[step % Math.max(1, names.length)] ?? ''
    const inner = place[name]
    if (typeof inner !== 'object' || inner === null) break
    if (step !== way.at(-1)) place = inner as Record<string, unknown>
  }
  if (what === 'remove') Reflect.deleteProperty(place, name)
  else if (what === 'set') place[name] = value
  else if (what === 'repeat' && Array.isArray(place)) place.push(place[0])
  else Object.defineProperty(place, Array.isArray(place) ? String(place.length) : key, { value, enumerable: true, configurable: true, writable: true })
}
