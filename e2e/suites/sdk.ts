// The API documents as their readers use them: linters judge them, generators make clients of both, the clients compile,
// and each asks a running director for a token that then works over UDP. What openapi-generator makes for Java, Go, Python
// and C# is checked by hand, because its Java programs take longer to fetch than all of this.
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Serve } from '#testkit/director/serve.js'
import { root } from '#testkit/processes/node-program.js'
import { openUdpPeer } from '#testkit/udp-peer.js'
import { pathOf, same, type Checks, type Suite } from '../checks.js'
import { findOnPath } from '#testkit/processes/find-program.js'
import { DATA_PORT, startDirector } from '../director.js'
import { goClients, pythonClient, typescriptClients } from '../sdk/clients.js'
import { goTools, must, npmTools, pipTools } from '../sdk/tools.js'

const listeners = ['public', 'admin'] as const

// Where what fits the schema may be refused all the same, which the descriptions say and a schema cannot: exactly one of two
// fields (as a schema, half of the generators make types of it that do not compile), a JSONPath, an IP address, the names of
// data ports, which the configuration has. Everywhere else it has to be accepted, and here too every answer has to be declared.
const schemathesisToml = `
[[operations]]
include-name = ["POST /query", "GET /sessions", "POST /tokens", "PUT /sessions/{id}/target"]
checks.positive_data_acceptance.enabled = false
`

interface Bench {
  readonly checks: Checks
  readonly folder: string
  readonly director: Serve
  /** Runs a client and uses the token that it prints. */
  readonly play: (command: string, args: readonly string[], cwd: string) => Promise<void>
}

export const sdk: Suite = {
  name: 'SDKs: clients that generators make of openapi/',
  needs: ['python3'],
  run: async (checks, folder) => {
    const server = await openUdpPeer()
    server.onDatagram(({ bytes, address, port }) => { void server.send(bytes, port, address) })
    const director = await startDirector([{ name: 'echo', address: '127.0.0.1', port: server.port }])
    for (const listener of listeners) await cp(join(root, `openapi/${listener}.json`), join(folder, `${listener}.json`))
    const bench: Bench = { checks, folder, director, play: async (command, args, cwd) => { await play(director, command, args, cwd) } }
    await checkNpm(bench)
    await checkPython(bench)
    await checkGo(bench)
    await server.close()
  }
}

async function checkNpm ({ checks, folder, play }: Bench): Promise<void> {
  const cwd = join(folder, 'npm')
  const tool = (name: string): string => join(cwd, 'node_modules/.bin', name)
  await mkdir(cwd)
  await writeFile(join(cwd, 'package.json'), '{"private": true, "type": "module"}')
  await writeFile(join(cwd, '.spectral.yaml'), 'extends: ["spectral:oas"]\n')
  await writeFile(join(cwd, 'tsconfig.json'), JSON.stringify({ compilerOptions: { strict: true, noUncheckedIndexedAccess: true, module: 'nodenext', target: 'es2022', lib: ['es2023', 'dom', 'dom.iterable'], types: ['node'] } }))
  await checks.check('npm fetches its generators', async () => { await must('npm', ['install', '--no-audit', '--no-fund', '--no-save', ...npmTools], cwd) })
  for (const listener of listeners) {
    await checks.check(`redocly and spectral find no error in ${listener}.json`, async () => {
      await must(tool('redocly'), ['lint', `../${listener}.json`], cwd, { REDOCLY_TELEMETRY: 'off' })
      await must(tool('spectral'), ['lint', `../${listener}.json`, '--fail-severity', 'error'], cwd)
    })
  }
  await checks.check('hey-api and openapi-typescript make clients that compile', async () => {
    for (const listener of listeners) {
      await must(tool('openapi-ts'), ['-i', `../${listener}.json`, '-o', `hey-${listener}`, '-c', '@hey-api/client-fetch'], cwd)
      await must(tool('openapi-typescript'), [`../${listener}.json`, '-o', `types-${listener}.ts`], cwd)
    }
    for (const [name, text] of Object.entries(typescriptClients)) await writeFile(join(cwd, `${name}.ts`), text)
    await must(tool('tsc'), ['-p', '.'], cwd)
  })
  for (const name of Object.keys(typescriptClients)) {
    await checks.check(`a client of ${name} gets a token that works`, async () => { await play(process.execPath, [`${name}.js`], cwd) })
  }
}

async function checkPython ({ checks, folder, director, play }: Bench): Promise<void> {
  const cwd = join(folder, 'python')
  const bin = join(cwd, 'venv/bin')
  await mkdir(cwd)
  await checks.check('pip fetches its generator and schemathesis', async () => {
    await must(pathOf('python3'), ['-m', 'venv', 'venv'], cwd)
    await must(join(bin, 'pip'), ['install', '--quiet', '--disable-pip-version-check', ...pipTools], cwd)
  })
  await checks.check('a client of openapi-python-client gets a token that works', async () => {
    for (const listener of listeners) {
      await must(join(bin, 'openapi-python-client'), ['generate', '--path', `../${listener}.json`, '--output-path', `director_${listener}`, '--meta', 'none'], cwd)
    }
    await must(join(bin, 'python'), ['-m', 'compileall', '-q', 'director_public', 'director_admin'], cwd)
    await writeFile(join(cwd, 'client.py'), pythonClient)
    await play(join(bin, 'python'), ['client.py'], cwd)
  })
  await writeFile(join(cwd, 'schemathesis.toml'), schemathesisToml)
  for (const [listener, url] of [['public', director.queryUrl], ['admin', director.adminUrl]] as const) {
    await checks.check(`schemathesis finds nothing that the ${listener} listener does against its document`, async () => {
      await must(join(bin, 'schemathesis'), ['--config-file', 'schemathesis.toml', 'run', `${url}/openapi.json`, '-n', '20', '--seed', '1', '--no-color'], cwd)
    })
  }
}

async function checkGo ({ checks, folder, play }: Bench): Promise<void> {
  const go = findOnPath('go')
  if (go === undefined) {
    checks.skip('clients of oapi-codegen and ogen', 'there is no go here; https://go.dev/dl has it')
    return
  }
  const cwd = join(folder, 'go')
  const env = { GOBIN: join(cwd, 'bin'), GOFLAGS: '-mod=mod' }
  await mkdir(cwd)
  await writeFile(join(cwd, 'go.mod'), 'module sdk\n\ngo 1.23\n')
  for (const [name, source] of Object.entries(goClients)) {
    await checks.check(`a client of ${name} gets a token that works`, async () => {
      await must(go, ['install', goTools[name as keyof typeof goTools]], folder, { ...env, GOFLAGS: '' })
      for (const listener of listeners) await generateGo(name, listener, cwd)
      await mkdir(join(cwd, name))
      await writeFile(join(cwd, name, 'main.go'), source)
      await must(go, ['mod', 'tidy'], cwd, env)
      await must(go, ['build', '-o', join(cwd, 'bin', `client-${name}`), `./${name}`], cwd, env)
      await play(join(cwd, 'bin', `client-${name}`), [], cwd)
    })
  }
}

async function generateGo (name: string, listener: typeof listeners[number], cwd: string): Promise<void> {
  const document = `../${listener}.json`
  if (name === 'ogen') {
    await must(join(cwd, 'bin/ogen'), ['--target', `ogen${listener}`, '--package', `ogen${listener}`, '--clean', document], cwd)
    return
  }
  await mkdir(join(cwd, `oapi${listener}`))
  await must(join(cwd, 'bin/oapi-codegen'), ['-generate', 'types,client', '-package', `oapi${listener}`, '-o', `oapi${listener}/api.go`, document], cwd)
}

async function play ({ queryUrl, dataPorts }: Serve, command: string, args: readonly string[], cwd: string): Promise<void> {
  const dataPort = dataPorts[DATA_PORT]!
  const { stdout } = await must(command, [...args, queryUrl], cwd)
  const [token = '', port] = stdout.trim().split(' ')
  same(String(port), String(dataPort), 'the port')
  const peer = await openUdpPeer()
  try {
    await peer.send(Buffer.from(token), dataPort)
    await peer.send(Buffer.from('hello'), dataPort)
    same((await peer.next()).bytes.toString(), 'hello', 'the answer')
  } finally {
    await peer.close()
  }
}
