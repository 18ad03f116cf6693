// neostandard for the look, typescript-eslint's strictest set for the meaning, and the rooms of the design as rules:
// what may import what, and where the process's environment and end may be touched.
import { readFileSync } from 'node:fs'
import neostandard from 'neostandard'
import tseslint from 'typescript-eslint'
import { createImportRule } from './scripts/lint/import-rule.mjs'
import { patience } from './scripts/lint/patience.mjs'

const { imports: subpaths } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))

const outsideRooms = /(?:^|\/)test\/|^(?:e2e|bench|fuzz|scripts)\//

/** The rooms of the proxy's core, and which of the others each may import. */
const coreRooms = {
  feed: '',
  ledger: '',
  tables: 'feed',
  sessions: 'feed|ledger|tables',
  asks: 'feed|ledger|tables|sessions',
  datagrams: 'feed|ledger|tables|sessions|asks'
}

/** @type {import('./scripts/lint/import-rule.mjs').ImportBan[]} */
const bans = [
  {
    from: /^libs\//,
    imports: /^apps\//,
    message: 'A library never imports an app: move what both need into a library.'
  },
  ...['cli', 'control', 'proxy'].map(app => ({
    from: new RegExp(`^apps/${app}/`),
    imports: /^apps\//,
    but: new RegExp(`^apps/${app}/`),
    message: 'Apps never import each other: they are separate processes, and libs/rpc is between them.'
  })),
  {
    from: /^apps\/proxy\/src\/core\//,
    imports: /^/,
    but: /^(?:apps\/proxy\/src\/core|libs\/core|libs\/wire)\/|^libs\/config\/src\/schema\.js$/,
    message: 'The proxy\'s core imports only #core, #wire and itself: bytes and `now` go in, verdicts come out.'
  },
  {
    from: /^apps\/proxy\/src\/core\//,
    except: /\/options\.ts$/,
    imports: /^libs\/config\//,
    message: 'Of the core only options.ts imports #config, for its types: the rest takes CoreOptions.'
  },
  ...Object.entries(coreRooms).map(([room, others]) => ({
    from: new RegExp(`^apps/proxy/src/core/${room}/`),
    imports: /^apps\/proxy\/src\/core\//,
    but: new RegExp(`^apps/proxy/src/core/(?:${others === '' ? room : `${room}|${others}`})/`),
    message: `core/${room} imports of the core's rooms only ${others === '' ? 'itself' : `itself and ${others.replaceAll('|', ', ')}`}.`
  })),
  {
    from: /^apps\/proxy\/src\/state\//,
    imports: /^apps\/proxy\/src\/|^libs\/rpc\//,
    but: /^apps\/proxy\/src\/(?:state|core|unix-sockets)\/|^apps\/proxy\/src\/engines\/shard-of-client\.js$/,
    message: 'State saves a core and restores it, in the core\'s words: it knows no shard, no RPC, and of the engines only whose a client is.'
  },
  {
    from: /^apps\/control\/src\/[^/]+\//,
    imports: /^apps\/control\/src\/[^/]+$/,
    message: 'No room of control imports its root, where the rooms are put together: say in the room what it needs.'
  },
  {
    from: /^apps\/control\/src\/(?!http\/)[^/]+\//,
    imports: /^apps\/control\/src\/http\/|^@?fastify(?:\/|$)/,
    message: 'Only apps/control/src/http knows HTTP: a failure is a code and a detail (#core/failure.js), and its table of errors has the rest.'
  },
  {
    from: /^apps\/control\/src\/inventory\//,
    imports: /^apps\/control\/src\//,
    but: /^apps\/control\/src\/(?:inventory|events)\//,
    message: 'The inventory knows nothing of what is made of its objects: it imports no other room of control but events/.'
  },
  ...[['file', 'kubernetes'], ['kubernetes', 'file']].map(([one, other]) => ({
    from: new RegExp(`^apps/control/src/inventory/${one}/`),
    imports: new RegExp(`^apps/control/src/inventory/${other}/`),
    message: 'A provider of the inventory imports nothing of another: what both need belongs in inventory/objects or inventory/store.'
  })),
  ...['bench', 'e2e', 'fuzz', 'scripts', 'simulation', 'test'].map(tree => ({
    from: /\//,
    except: new RegExp(`^${tree}/`),
    imports: new RegExp(`^${tree}/`),
    message: 'Nothing imports one of the trees of tests and tools but itself: what two need belongs in the testkit.'
  })),
  {
    from: /^(?:bench|e2e|fuzz|scripts|simulation|test)\//,
    imports: /^apps\/cli\//,
    message: 'The command is driven from outside: testkit/director and testkit/processes have what that takes.'
  },
  {
    from: /^libs\/core\//,
    except: outsideRooms,
    imports: /^libs\//,
    but: /^libs\/core\//,
    message: 'libs/core is the ground: it imports no other library.'
  },
  {
    from: /^libs\/wire\//,
    except: outsideRooms,
    imports: /^libs\//,
    but: /^libs\/(?:core|wire)\//,
    message: 'libs/wire imports no library but #core: the proxy\'s core rests on it.'
  },
  {
    from: /^/,
    except: /^(?:apps\/proxy\/src\/engines|apps\/cli\/src\/(?:demo|ports)|testkit)\/|(?:^|\/)test\/|^(?:e2e|bench|examples)\//,
    imports: /^node:dgram$/,
    message: 'UDP sockets live in apps/proxy/src/engines (and in the demo, apps/cli/src/ports, testkit, tests, e2e, bench and examples).'
  },
  {
    from: /^/,
    except: /^apps\/proxy\/src\/engines\/batch\/system\/libc\.ts$/,
    imports: /^koffi(?:\/|$)/,
    message: 'koffi is imported by apps/proxy/src/engines/batch/system/libc.ts alone: what can crash the process stays in one room.'
  },
  {
    from: /^/,
    except: /^apps\/control\/src\/store\/valkey\/|^testkit\/store\/|(?:^|\/)test\/|^(?:e2e|bench)\//,
    imports: /^iovalkey(?:\/|$)/,
    message: 'iovalkey is for apps/control/src/store/valkey alone (and for tests, e2e and bench): the rest of control asks the interface SharedStore.'
  },
  {
    from: /^/,
    except: /^apps\/control\/src\/inventory\/kubernetes\/api\/credentials\.ts$|^testkit\/test\//,
    imports: /^@kubernetes\/client-node(?:\/|$)/,
    message: '@kubernetes/client-node is imported by apps/control/src/inventory/kubernetes/api/credentials.ts alone (and by the testkit\'s tests).'
  },
  {
    from: /^/,
    except: /^testkit\/|(?:^|\/)test\/|^(?:e2e|bench|fuzz|simulation)\//,
    imports: /^testkit\//,
    message: 'The testkit is for tests, e2e, bench, fuzz and simulation.'
  },
  {
    from: /^(?:apps|libs)\//,
    except: outsideRooms,
    imports: /^node:process$/,
    message: 'Use the global `process`: the rules about its environment and exit look at that name.'
  }
]

const noEnv = { object: 'process', property: 'env', message: 'Only libs/config reads the environment.' }
const noExit = { object: 'process', property: 'exit', message: 'Only a main.ts ends the process; elsewhere return or throw.' }

const clocksAndPromises = [
  'Date', 'Promise', 'clearInterval', 'clearTimeout', 'console', 'fetch', 'performance', 'process', 'queueMicrotask',
  'setImmediate', 'setInterval', 'setTimeout', 'structuredClone'
]

const askTheMachine = ['Date', 'clearInterval', 'clearTimeout', 'console', 'crypto', 'fetch', 'performance', 'process', 'setImmediate', 'setInterval', 'setTimeout']

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', '.tap/', '**/*.d.ts'] },
  ...neostandard({ ts: true }),
  {
    plugins: { rooms: { rules: { imports: createImportRule(bans, subpaths) } } },
    rules: {
      'rooms/imports': 'error',
      'max-lines': ['error', { max: 400 }]
    }
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'no-void': ['error', { allowAsStatement: true }],
      // `words[i]!` on a typed array is the packet path's idiom under noUncheckedIndexedAccess.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // An async function without await is how tap's and Fastify's callbacks are written.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreVoidReturningFunctions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      // A constant table and the type of its values share a name; the compiler refuses true redeclarations itself.
      '@typescript-eslint/no-redeclare': 'off'
    }
  },
  {
    files: ['apps/**/*.ts', 'libs/**/*.ts'],
    ignores: ['**/test/**'],
    rules: { 'no-restricted-properties': ['error', noEnv, noExit] }
  },
  {
    files: ['apps/**/*.ts', 'libs/**/*.ts'],
    ignores: ['**/test/**', 'libs/telemetry/**'],
    rules: {
      'no-console': 'error',
      '@typescript-eslint/no-restricted-imports': ['error', {
        paths: [{ name: 'pino', allowTypeImports: true, message: 'Loggers come from #telemetry/logger.js: every line of theirs has a bound.' }]
      }]
    }
  },
  { files: ['apps/**/main.ts'], rules: { 'no-restricted-properties': ['error', noEnv] } },
  { files: ['libs/config/**/*.ts'], rules: { 'no-restricted-properties': ['error', noExit] } },
  {
    files: ['apps/proxy/src/core/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', ...clocksAndPromises.map(name => ({
        name, message: 'The proxy\'s core knows no clock, promise, logger or process.'
      }))],
      'no-restricted-syntax': ['error', {
        selector: ':function[async=true]', message: 'The proxy\'s core awaits nothing.'
      }]
    }
  },
  {
    files: ['apps/control/src/**/*.ts'],
    rules: {
      'no-restricted-syntax': ['error', ...['left', 'right'].flatMap(side => ['MemberExpression[property.name="provider"]', 'Identifier[name="provider"]'].map(name => ({
        selector: `BinaryExpression[operator=/^[!=]==$/] > ${name}.${side}`,
        message: 'What depends on the provider is in its row of apps/control/src/inventory/providers.ts.'
      })))]
    }
  },
  {
    files: ['simulation/**/*.ts'],
    ignores: ['simulation/main.ts', 'simulation/basics/virtual-time.ts', 'simulation/test/**'],
    rules: {
      'no-restricted-globals': ['error', ...askTheMachine.map(name => ({ name, message: 'A simulation has its own clock and its own chance: the same seed is the same run.' }))],
      'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: 'A simulation draws from its seed.' }]
    }
  },
  {
    files: ['**/test/**/*.ts', 'e2e/**/*.ts', 'testkit/**/*.ts'],
    ignores: ['testkit/patience.ts'],
    rules: { 'no-restricted-syntax': ['error', ...patience] }
  },
  {
    files: ['**/test/**/*.ts', 'e2e/**/*.ts', 'bench/**/*.ts', 'fuzz/**/*.ts'],
    rules: {
      // Tests look into `unknown` answers and hand wrong types in on purpose.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unnecessary-condition': 'off'
    }
  }
)
