// Each rule about the rooms bites where it should and lets the clean counterpart pass.
import { ESLint } from 'eslint'
import t from 'tap'

const roomRules = new Set(['rooms/imports', 'max-lines', 'no-restricted-properties', 'no-restricted-globals', 'no-restricted-syntax', 'no-void'])

// The files below do not exist, so there are no types to ask for; the rules under test need none.
const eslint = new ESLint({
  ruleFilter: ({ ruleId }) => roomRules.has(ruleId),
  overrideConfig: { languageOptions: { parserOptions: { projectService: false } } }
})

async function faultsOf (filePath: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath })
  return result!.messages.map(({ ruleId, message }) => `${String(ruleId)}: ${message}`)
}

interface Case {
  readonly rule: string
  readonly says: RegExp
  readonly refused: ReadonlyArray<readonly [filePath: string, code: string]>
  readonly allowed: ReadonlyArray<readonly [filePath: string, code: string]>
}

const imports = (specifier: string): string => `import { x } from '${specifier}'\nx()\n`

const cases: Record<string, Case> = {
  'libraries never import apps': {
    rule: 'rooms/imports',
    says: /never imports an app/,
    refused: [
      ['libs/rpc/src/x.ts', imports('../../../apps/control/src/x.js')],
      ['libs/rpc/src/x.ts', 'export { x } from \'../../../apps/control/src/x.js\'\n'],
      ['libs/rpc/src/x.ts', 'export * from \'../../../apps/control/src/x.js\'\n'],
      ['libs/rpc/src/x.ts', 'export const x = await import(\'../../../apps/control/src/x.js\')\n'],
      ['libs/rpc/src/x.ts', 'export type X = import(\'../../../apps/control/src/x.js\').X\n'],
      ['libs/rpc/test/x.test.ts', imports('../../../apps/control/src/x.js')]
    ],
    allowed: [['libs/rpc/src/x.ts', imports('#core/x.js')], ['scripts/gen/x.ts', imports('../../apps/control/src/x.js')]]
  },
  'apps never import each other': {
    rule: 'rooms/imports',
    says: /Apps never import each other/,
    refused: [
      ['apps/control/src/x.ts', imports('../../proxy/src/x.js')],
      ['apps/proxy/src/rpc/x.ts', imports('../../../control/src/x.js')],
      ['apps/cli/src/x.ts', imports('../../control/src/x.js')]
    ],
    allowed: [['apps/control/src/http/routes/x.ts', imports('../../query/x.js')], ['apps/control/test/x.test.ts', imports('../src/x.js')]]
  },
  'rooms of control do not import its root': {
    rule: 'rooms/imports',
    says: /where the rooms are put together/,
    refused: [['apps/control/src/tokens/x.ts', imports('../metrics.js')], ['apps/control/src/http/routes/x.ts', imports('../../wiring.js')]],
    allowed: [['apps/control/src/wiring.ts', imports('./metrics.js')], ['apps/control/src/wiring.ts', imports('./http/app.js')], ['apps/control/test/tokens/x.test.ts', imports('../../src/metrics.js')]]
  },
  'only the room http of control knows HTTP': {
    rule: 'rooms/imports',
    says: /Only apps\/control\/src\/http knows HTTP/,
    refused: [
      ['apps/control/src/tokens/x.ts', imports('../http/problems/problem.js')],
      ['apps/control/src/targets/watch/x.ts', imports('../../http/listener/listener.js')],
      ['apps/control/src/inventory/file/x.ts', imports('../../http/x.js')],
      ['apps/control/src/query/x.ts', imports('fastify')],
      ['apps/control/src/query/x.ts', imports('@fastify/rate-limit')]
    ],
    allowed: [['apps/control/src/http/routes/x.ts', imports('../problems/problem.js')], ['apps/control/src/x.ts', imports('./http/x.js')]]
  },
  'the inventory imports no feature': {
    rule: 'rooms/imports',
    says: /knows nothing of what is made of its objects/,
    refused: [['apps/control/src/inventory/x.ts', imports('../query/x.js')], ['apps/control/src/inventory/store/x.ts', imports('../../targets/x.js')]],
    allowed: [['apps/control/src/inventory/store/x.ts', imports('../objects/x.js')], ['apps/control/src/inventory/file/x.ts', imports('../../events/event-sink.js')], ['apps/control/src/names/x.ts', imports('../inventory/x.js')]]
  },
  'providers of the inventory know nothing of each other': {
    rule: 'rooms/imports',
    says: /imports nothing of another/,
    refused: [['apps/control/src/inventory/file/x.ts', imports('../kubernetes/api/x.js')], ['apps/control/src/inventory/kubernetes/api/x.ts', imports('../../file/x.js')]],
    allowed: [['apps/control/src/inventory/providers.ts', imports('./file/x.js')], ['apps/control/src/inventory/file/x.ts', imports('../objects/x.js')]]
  },
  'nothing but the table of providers asks which one it is': {
    rule: 'no-restricted-syntax',
    says: /its row of/,
    refused: [
      ['apps/control/src/query/x.ts', 'export const x = config => config.inventory.provider === \'file\'\n'],
      ['apps/control/src/x.ts', 'export const x = ({ provider }) => \'kubernetes\' !== provider\n']
    ],
    allowed: [['apps/control/src/x.ts', 'export const x = (config, providers) => providers[config.inventory.provider]\n'], ['libs/config/src/x.ts', 'export const x = provider => provider === \'file\'\n']]
  },
  'no tree imports another tree\'s tests': {
    rule: 'rooms/imports',
    says: /another tree's tests|what two need belongs in the testkit/,
    refused: [
      ['fuzz/x.ts', imports('../apps/proxy/test/state/x.js')],
      ['libs/rpc/test/x.test.ts', imports('../../wire/test/x.js')],
      ['simulation/x.ts', imports('../test/x.js')],
      ['test/x.test.ts', imports('../simulation/test/x.js')]
    ],
    allowed: [['fuzz/test/x.test.ts', imports('./y.js')], ['apps/proxy/test/x.test.ts', imports('./state/y.js')], ['fuzz/x.ts', imports('#testkit/x.js')]]
  },
  'trees of tests and tools import nobody\'s but the testkit\'s': {
    rule: 'rooms/imports',
    says: /what two need belongs in the testkit|driven from outside/,
    refused: [
      ['bench/forward/x.ts', imports('../../e2e/x.js')],
      ['fuzz/x.ts', imports('../bench/x.js')],
      ['apps/proxy/test/x.test.ts', imports('../../../fuzz/x.js')],
      ['testkit/x.ts', imports('../simulation/x.js')],
      ['scripts/test/x.test.ts', imports('../../e2e/x.js')],
      ['bench/query/x.ts', imports('../../apps/cli/src/x.js')]
    ],
    allowed: [['bench/forward/x.ts', imports('../x.js')], ['bench/x.ts', imports('#testkit/x.js')], ['testkit/x.ts', imports('../apps/cli/src/x.js')], ['fuzz/x.ts', imports('../apps/proxy/src/x.js')]]
  },
  'libraries are imported by subpath': {
    rule: 'rooms/imports',
    says: /by its subpath/,
    refused: [['libs/rpc/src/x.ts', imports('../../core/src/x.js')], ['apps/cli/src/x.ts', imports('../../../libs/core/src/x.js')]],
    allowed: [['libs/rpc/src/x.ts', imports('./y.js')], ['libs/rpc/test/x.test.ts', imports('../src/x.js')]]
  },
  'the proxy\'s core imports only core, wire and itself': {
    rule: 'rooms/imports',
    says: /imports only #core, #wire and itself/,
    refused: ['node:crypto', 'fs', '#telemetry/x.js', '#rpc/contract.js', 'pino', '../engines/x.js'].map(specifier =>
      ['apps/proxy/src/core/x.ts', imports(specifier)] as const),
    allowed: ['#core/x.js', '#wire/x.js', './x.js', './tables/x.js'].map(specifier =>
      ['apps/proxy/src/core/x.ts', imports(specifier)] as const)
  },
  'of the core only its options know the configuration': {
    rule: 'rooms/imports',
    says: /only options.ts imports #config|imports only #core, #wire and itself/,
    refused: [
      ['apps/proxy/src/core/datagrams/x.ts', imports('#config/schema.js')],
      ['apps/proxy/src/core/datagrams/options.ts', imports('#config/load/load-config.js')]
    ],
    allowed: [['apps/proxy/src/core/datagrams/options.ts', imports('#config/schema.js')]]
  },
  'the state log knows no shard and no RPC': {
    rule: 'rooms/imports',
    says: /it knows no shard/,
    refused: ['../shards/shard.js', '#rpc/contract.js', '../engines/batch/system/libc.js', '../proxy.js'].map(specifier =>
      ['apps/proxy/src/state/x.ts', imports(specifier)] as const),
    allowed: ['../core/core.js', '../../apps/proxy/src/engines/shard-of-client.js', '../unix-sockets/unix-socket.js', './x.js', '#wire/x.js'].map(specifier =>
      ['apps/proxy/src/state/x.ts', imports(specifier)] as const)
  },
  'the core\'s sessions know no datagrams, and its tables no sessions': {
    rule: 'rooms/imports',
    says: /imports of the core's rooms only itself/,
    refused: [
      ['apps/proxy/src/core/sessions/x.ts', imports('../datagrams/flow-table.js')],
      ['apps/proxy/src/core/sessions/x.ts', imports('../core.js')],
      ['apps/proxy/src/core/tables/x.ts', imports('../sessions/x.js')],
      ['apps/proxy/src/core/feed/x.ts', imports('../tables/x.js')],
      ['apps/proxy/src/core/ledger/x.ts', imports('../datagrams/x.js')]
    ],
    allowed: [
      ['apps/proxy/src/core/datagrams/x.ts', imports('../sessions/x.js')],
      ['apps/proxy/src/core/sessions/x.ts', imports('../tables/x.js')],
      ['apps/proxy/src/core/tables/x.ts', imports('../feed/x.js')],
      ['apps/proxy/src/core/feed/x.ts', imports('./x.js')],
      ['apps/proxy/src/core/core.ts', imports('./datagrams/x.js')]
    ]
  },
  'libs/core and libs/wire rest on nothing above them': {
    rule: 'rooms/imports',
    says: /imports no (?:other )?library/,
    refused: [['libs/core/src/x.ts', imports('#wire/x.js')], ['libs/wire/src/x.ts', imports('#config/x.js')]],
    allowed: [['libs/core/src/x.ts', imports('./x.js')], ['libs/wire/src/x.ts', imports('#core/x.js')], ['libs/wire/test/x.test.ts', imports('#testkit/x.js')]]
  },
  'UDP sockets live in the engines': {
    rule: 'rooms/imports',
    says: /UDP sockets live in/,
    refused: ['node:dgram', 'dgram'].flatMap(specifier =>
      ['apps/proxy/src/rpc/x.ts', 'apps/control/src/x.ts', 'apps/cli/src/x.ts', 'libs/wire/src/x.ts'].map(filePath => [filePath, imports(specifier)] as const)),
    allowed: [
      'apps/proxy/src/engines/dgram/x.ts', 'apps/cli/src/demo/x.ts', 'testkit/x.ts', 'apps/proxy/test/x.test.ts', 'e2e/x.ts', 'bench/x.ts', 'examples/x.mjs'
    ].map(filePath => [filePath, imports('node:dgram')] as const)
  },
  'FFI lives in one file': {
    rule: 'rooms/imports',
    says: /libc\.ts alone/,
    refused: [
      ['apps/proxy/src/engines/batch/system/epoll.ts', imports('koffi')],
      ['apps/proxy/test/x.test.ts', imports('koffi')],
      ['bench/x.ts', imports('koffi')]
    ],
    allowed: [['apps/proxy/src/engines/batch/system/libc.ts', imports('koffi')]]
  },
  'the Kubernetes client lives in one file': {
    rule: 'rooms/imports',
    says: /credentials\.ts alone/,
    refused: [
      ['apps/control/src/inventory/kubernetes/watcher.ts', imports('@kubernetes/client-node')],
      ['apps/control/test/x.test.ts', imports('@kubernetes/client-node')],
      ['e2e/x.ts', imports('@kubernetes/client-node/dist/x.js')]
    ],
    allowed: [['apps/control/src/inventory/kubernetes/api/credentials.ts', imports('@kubernetes/client-node')]]
  },
  'the testkit is for tests': {
    rule: 'rooms/imports',
    says: /The testkit is for tests/,
    refused: [['apps/control/src/x.ts', imports('#testkit/fake-clock.js')], ['scripts/gen/x.ts', imports('#testkit/fake-clock.js')]],
    allowed: ['apps/control/test/x.test.ts', 'e2e/x.ts', 'bench/x.ts', 'testkit/x.ts'].map(filePath =>
      [filePath, imports(filePath.startsWith('testkit') ? './fake-clock.js' : '#testkit/fake-clock.js')] as const)
  },
  'only libs/config reads the environment': {
    rule: 'no-restricted-properties',
    says: /reads the environment/,
    refused: ['apps/control/src/main.ts', 'apps/cli/src/x.ts', 'libs/rpc/src/x.ts'].flatMap(filePath =>
      ['export const x = process.env[\'X\']\n', 'export const { env } = process\n'].map(code => [filePath, code] as const)),
    allowed: ['libs/config/src/env.ts', 'scripts/x.ts', 'apps/control/test/x.test.ts'].map(filePath =>
      [filePath, 'export const x = process.env[\'X\']\n'] as const)
  },
  'nobody goes round the rules by importing node:process': {
    rule: 'rooms/imports',
    says: /Use the global `process`/,
    refused: [['apps/control/src/x.ts', imports('node:process')], ['libs/config/src/x.ts', imports('process')]],
    allowed: [['scripts/x.ts', imports('node:process')]]
  },
  'a simulation draws from its seed': {
    rule: 'no-restricted-properties',
    says: /draws from its seed/,
    refused: [['simulation/world.ts', 'export const x = Math.random()\n']],
    allowed: [['simulation/main.ts', 'export const x = Math.random()\n'], ['apps/proxy/src/main.ts', 'export const x = Math.random()\n']]
  },
  'a simulation asks no machine for the time': {
    rule: 'no-restricted-globals',
    says: /its own clock/,
    refused: [['simulation/world.ts', 'export const x = Date.now()\n'], ['simulation/run.ts', 'setTimeout(() => {}, 1)\n']],
    allowed: [['simulation/main.ts', 'export const x = performance.now()\n'], ['apps/proxy/src/main.ts', 'export const x = Date.now()\n']]
  },
  'only a main.ts ends the process': {
    rule: 'no-restricted-properties',
    says: /Only a main\.ts ends the process/,
    refused: ['apps/control/src/http/app.ts', 'libs/config/src/x.ts', 'libs/rpc/src/main-loop.ts'].map(filePath => [filePath, 'process.exit(1)\n'] as const),
    allowed: ['apps/control/src/main.ts', 'apps/cli/src/main.ts', 'scripts/gen/main.ts'].map(filePath => [filePath, 'process.exit(1)\n'] as const)
  },
  'the proxy\'s core knows no clock, promise or logger': {
    rule: 'no-restricted-globals',
    says: /knows no clock/,
    refused: ['Date.now()', 'setTimeout(() => {}, 1)', 'performance.now()', 'Promise.resolve()', 'console.log(1)', 'process.hrtime()'].map(code =>
      ['apps/proxy/src/core/x.ts', `${code}\n`] as const),
    allowed: [['apps/proxy/src/engines/x.ts', 'Date.now()\n']]
  },
  'the proxy\'s core awaits nothing': {
    rule: 'no-restricted-syntax',
    says: /awaits nothing/,
    refused: [['apps/proxy/src/core/x.ts', 'export async function x () {}\n'], ['apps/proxy/src/core/x.ts', 'export const x = async () => {}\n']],
    allowed: [['apps/proxy/src/core/x.ts', 'export function x () {}\n'], ['apps/proxy/src/rpc/x.ts', 'export async function x () {}\n']]
  },
  'tests wait for what they wait for': {
    rule: 'no-restricted-syntax',
    says: /PATIENCE_MS|`until`|Measure no time/,
    refused: [
      'await new Promise(resolve => setTimeout(resolve, 50))', 'setInterval(look, 5)', 'import { setTimeout as sleep } from \'node:timers/promises\'',
      'import timers from \'node:timers\'', 'Atomics.wait(words, 0, 0, 50)', 't.setTimeout(5000)', 't.test(\'x\', { timeout: 5000 }, () => {})',
      'run({ timeoutMs: 500 })', 'AbortSignal.timeout(500)', 'export const f = (limitMs = 500): void => { g(limitMs) }',
      't.ok(performance.now() - started < 50)', 'const started = Date.now()', 'const started = new Date()', 'const started = process.hrtime.bigint()',
      'for (let turn = 0; turn < 50; turn++) await nextTurn()', 'for (let turn = 0; turn < 9; turn++) await new Promise(resolve => { setImmediate(resolve) })'
    ].flatMap(code => ['libs/rpc/test/x.test.ts', 'e2e/x.ts', 'testkit/x.ts', 'test/x.test.ts'].map(filePath => [filePath, `${code}\n`] as const)),
    allowed: [
      ...[
        'await until(() => seen > 0)', 'await nextTurn()', 'import { setImmediate as nextTurn } from \'node:timers/promises\'', 'run({ timeoutMs: PATIENCE_MS })',
        'AbortSignal.timeout(PATIENCE_MS)', 'const day = new Date(0)', 'for (let ms = 0; ms < all; ms += 1000) { await nextTurn(); clock.advance(1000) }'
      ].map(code => ['libs/rpc/test/x.test.ts', `${code}\n`] as const),
      ['testkit/patience.ts', 'setTimeout(resolve, 5)\n'], ['bench/x.ts', 'performance.now()\n'], ['libs/rpc/src/x.ts', 'setTimeout(resolve, 5)\n']
    ]
  },
  'no file passes 400 lines': {
    rule: 'max-lines',
    says: /too many lines/,
    refused: [['libs/rpc/src/x.ts', '\n'.repeat(401)], ['scripts/x.mjs', '\n'.repeat(401)]],
    allowed: [['libs/rpc/src/x.ts', '\n'.repeat(399)]]
  },
  'void marks a promise nobody awaits, as a statement only': {
    rule: 'no-void',
    says: /undefined/,
    refused: [['libs/rpc/src/x.ts', 'export const x = void 0\n']],
    allowed: [['libs/rpc/src/x.ts', 'void globalThis.fetch(\'/\')\n']]
  }
}

for (const [name, { rule, says, refused, allowed }] of Object.entries(cases)) {
  void t.test(name, async t => {
    for (const [filePath, code] of refused) {
      const faults = await faultsOf(filePath, code)
      t.ok(faults.some(fault => fault.startsWith(`${rule}: `) && says.test(fault)), `${filePath}: refused: ${code.trim().slice(0, 60)}`, { faults })
    }
    for (const [filePath, code] of allowed) {
      t.strictSame(await faultsOf(filePath, code), [], `${filePath}: allowed: ${code.trim().slice(0, 60)}`)
    }
  })
}
