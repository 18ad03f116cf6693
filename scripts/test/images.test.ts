// What the images of the two processes hold: how it is found out, and that each Dockerfile makes something that starts.
// There is no docker here. Every step of the Dockerfiles is carried out in folders, but for three things: `npm ci` gives
// the checkout's node_modules (no network), `npm run build` gives the checkout's dist as far as the stage has the sources
// of it (a build takes half a minute), and in place of the base images there is this machine with its Node.
import { execFile, spawnSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { parseAllDocuments } from 'yaml'
import { environmentDefaults } from '#config/env.js'
import { claimPort } from '#testkit/ports.js'
import { startNode, type NodeProgram } from '#testkit/processes/node-program.js'
import { assemble, imageNames, type ImageName } from '../image/assemble.js'
import { importGraph } from '../image/import-graph.js'
import { packageTree } from '../image/package-tree.js'
import { buildImage, type Image } from './dockerfile.js'

const { listSources, settings, outputOf } = await import(pathToFileURL('scripts/build-state.mjs').href) as {
  listSources: (root: string) => string[]
  settings: readonly string[]
  outputOf: (source: string) => string
}

const run = promisify(execFile)
const checkout = process.cwd()
const subpaths = JSON.stringify({ imports: { '#core/*': './libs/core/src/*' } })

void t.test('imports are followed, of whatever kind they are', async t => {
  const root = t.testdir({
    'package.json': subpaths,
    'main.js': 'import fs from "fs"; import "node:net"; import "./side.js"; export * from "whole"; import { a } from "@scope/name/part.js"',
    'side.js': 'const x = async () => (await import("late")).x; export { one } from "#core/one.js" // import "comment"',
    'unused.js': 'import "unused"',
    libs: { core: { src: { 'one.js': 'import "../../../main.js"; const require = make(); require("native"); export const one = "import \'text\'"' } } }
  })
  const { files, packages } = importGraph(root, ['main.js'])
  t.strictSame([...files].sort(), ['libs/core/src/one.js', 'main.js', 'side.js'])
  t.strictSame([...packages].sort(), ['@scope/name', 'late', 'native', 'whole'])
})

void t.test('an import that cannot be followed is a fault', async t => {
  const faultOf = (text: string) => () => importGraph(t.testdir({ 'package.json': subpaths, 'main.js': text }), ['main.js'])
  t.throws(faultOf('await import(name)'), { message: 'main.js imports something that only running it would tell: write the specifier as a string.' })
  t.throws(faultOf('import "#none/x.js"'), { message: 'main.js imports #none/x.js, which package.json does not know.' })
  t.throws(faultOf('import "./none.js"'), { code: 'ENOENT' })
})

const lock = {
  packages: {
    '': { dependencies: { a: '1', native: '1', broken: '1' } },
    'node_modules/a': { dependencies: { b: '1' }, peerDependencies: { peer: '1', wish: '1' }, peerDependenciesMeta: { wish: { optional: true } } },
    'node_modules/a/node_modules/b': { dependencies: { c: '1' } },
    'node_modules/b': { dependencies: { unused: '1' } },
    'node_modules/c': { dependencies: { b: '1' } },
    'node_modules/peer': {},
    'node_modules/wish': {},
    'node_modules/unused': {},
    'node_modules/native': { dependencies: { '@p/linux': '1' }, optionalDependencies: { '@p/linux': '1', '@p/other': '1', '@p/unlocked': '1' } },
    'node_modules/@p/linux': { optional: true },
    'node_modules/@p/other': { optional: true },
    'node_modules/broken': { dependencies: { none: '1' } }
  }
}

void t.test('the lockfile says which folders some packages take', async t => {
  const pathsOf = (...names: string[]) => packageTree(lock, names).map(({ path }) => path.replaceAll('node_modules/', ''))
  t.strictSame(pathsOf('a'), ['a', 'a/b', 'b', 'c', 'peer', 'unused'], 'each finds the nearest, as Node does')
  t.strictSame(pathsOf('native'), ['@p/linux', '@p/other', 'native'])
  t.throws(() => packageTree(lock, ['unused']), { message: 'unused is imported, but is not among the dependencies of package.json.' })
  t.throws(() => packageTree(lock, ['broken']), { message: 'package-lock.json lacks none, which node_modules/broken needs.' })
})

void t.test('native binaries go with their packages, those of other platforms may be missing', async t => {
  const root = t.testdir({
    'package-lock.json': JSON.stringify(lock),
    dist: { 'package.json': subpaths, apps: { proxy: { src: { 'main.js': '', 'worker.js': 'import "native"' }, test: { 'main.test.js': 'import "tap"' } }, control: { src: { 'main.js': 'import "a"' } } } },
    node_modules: {
      native: { 'index.js': '', 'index.d.ts': '', 'index.js.map': '', build: { 'x.node': 'ELF' }, node_modules: { stray: { 'x.js': '' } } },
      '@p': { linux: { 'x.node': 'ELF' } },
      a: { 'index.js': '' }
    }
  })
  assemble(root, 'proxy', join(root, 'image'))
  t.strictSame(filesIn(join(root, 'image')), [
    'dist/apps/proxy/src/main.js', 'dist/apps/proxy/src/worker.js', 'dist/package.json',
    'node_modules/@p/linux/x.node', 'node_modules/native/build/x.node', 'node_modules/native/index.js'
  ])
  t.throws(() => { assemble(root, 'control', join(root, 'other')) }, { code: 'ENOENT' }, 'what is not optional may not')
})

function filesIn (folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => !entry.isDirectory())
    .map(entry => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()
}

const standIns = {
  'npm ci --ignore-scripts --no-audit --no-fund': (folder: string): void => {
    for (const name of ['package.json', 'package-lock.json']) {
      if (!readFileSync(join(folder, name)).equals(readFileSync(join(checkout, name)))) throw new Error(`npm ci would find another ${name}`)
    }
    symlinkSync(join(checkout, 'node_modules'), join(folder, 'node_modules'))
  },
  'npm run build': (folder: string): void => {
    if (!existsSync(join(folder, 'scripts/build.mjs')) || !existsSync(join(folder, 'node_modules'))) throw new Error('npm run build would not find the compiler')
    const missing = ['package.json', ...settings].filter(path => !existsSync(join(folder, path)))
    if (missing.length > 0) throw new Error(`npm run build would not find ${missing.join(', ')}`)
    const outputs = listSources(folder).map(outputOf)
    for (const path of ['dist/package.json', ...outputs]) cpSync(join(checkout, path), join(folder, path))
  }
}

interface Container {
  readonly name: string
  readonly image: string
  readonly command: readonly string[]
  readonly ports: ReadonlyArray<{ readonly containerPort: number, readonly protocol: string }>
  readonly env: ReadonlyArray<{ readonly name: string, readonly value: string }>
  readonly volumeMounts: ReadonlyArray<{ readonly mountPath: string }>
}

interface PodSpec {
  readonly securityContext: { readonly runAsUser: number, readonly runAsGroup: number }
  readonly initContainers: readonly Container[]
  readonly containers: readonly Container[]
}

function podSpec (): PodSpec {
  const [deployment] = parseAllDocuments(readFileSync(join(checkout, 'k8s/base/deployment.yaml'), 'utf8'), { merge: true })
  return (deployment?.toJS() as { spec: { template: { spec: PodSpec } } }).spec.template.spec
}

function checkAgainstManifests (t: Test, name: ImageName, image: Image): void {
  const { securityContext: { runAsUser, runAsGroup }, initContainers, containers } = podSpec()
  const container = [...initContainers, ...containers].find(container => container.name === name)!
  t.equal(image.user, `${runAsUser}:${runAsGroup}`, 'the user')
  t.strictSame(image.entrypoint, container.command, 'the command')
  t.strictSame(image.exposed, container.ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol.toLowerCase()}`), 'the ports')
  t.equal(image.labels['org.opencontainers.image.title'], container.image, 'the name')
  t.strictSame(container.env, [{ name: 'UDP_DIRECTOR_SOCKET', value: environmentDefaults.socketPath }])
  const mounts = container.volumeMounts.map(({ mountPath }) => mountPath)
  t.ok([environmentDefaults.configPath, environmentDefaults.socketPath].every(path => mounts.includes(dirname(path))), 'the folders')
}

/** A container of the image: its files and nothing else of this project, and as root another user, who may not write there. */
class Running {
  readonly #image: Image
  readonly #options: { readonly env: Record<string, string>, readonly cwd: string, readonly uid?: number, readonly gid?: number }

  constructor (image: Image, env: Readonly<Record<string, string>>) {
    this.#image = image
    const [uid = 0, gid = 0] = image.user.split(':').map(Number)
    const isPossible = spawnSync(process.execPath, ['--version'], { uid, gid }).status === 0
    this.#options = { env: { ...image.env, ...env }, cwd: join(image.root, image.workdir), ...isPossible ? { uid, gid } : {} }
  }

  start (name: ImageName): NodeProgram {
    const [, script = ''] = this.#image.entrypoint
    return startNode(name, script, this.#options)
  }

  async node (...args: readonly string[]): Promise<unknown> {
    return await run(process.execPath, args, this.#options)
  }

  async healthCheck (): Promise<unknown> {
    return await this.node(...this.#image.healthCheck.slice(1))
  }
}

void t.test('each Dockerfile makes an image that starts, is healthy and holds nothing else\'s packages', async t => {
  // Not t.testdir(), whose path is longer than that of a socket may be, and inside of which Node would find the checkout.
  const folder = await mkdtemp(join(tmpdir(), 'images-'))
  t.teardown(async () => { await rm(folder, { recursive: true }) })
  await chmod(folder, 0o755)
  const build = async (name: ImageName): Promise<Image> => {
    const scratch = join(folder, name)
    await mkdir(scratch)
    return await buildImage({ file: `Dockerfile.${name}`, context: checkout, scratch, standIns })
  }
  const [control, proxy] = await Promise.all([build('control'), build('proxy')])
  const images = { control, proxy }
  const before = imageNames.map(name => filesIn(images[name].root))
  for (const name of imageNames) {
    t.match(images[name].base, /nodejs24.*:nonroot$/)
    checkAgainstManifests(t, name, images[name])
    for (const label of ['version', 'revision', 'licenses', 'description']) t.ok(images[name].labels[`org.opencontainers.image.${label}`], label)
  }
  const [ofControl, ofProxy] = [control, proxy].map(({ root, workdir }) => new Set(readdirSync(join(root, workdir, 'node_modules'), { recursive: true, encoding: 'utf8' })))
  for (const name of ['@kubernetes/client-node', '@fastify/swagger', '@fastify/swagger-ui', 'undici', 'prom-client']) {
    t.strictSame([ofControl!.has(name), ofProxy!.has(name)], [true, false], `only control has ${name}`)
  }
  for (const name of ['typescript', 'tap', 'eslint']) t.notOk(ofControl!.has(name) || ofProxy!.has(name), `no ${name}`)
  t.notOk(existsSync(join(proxy.root, proxy.workdir, 'dist/apps/control')), 'no code of control in the proxy')

  const { port: adminPort } = await claimPort()
  const config = join(folder, 'config.yaml')
  await mkdir(join(folder, 'inventory'))
  await mkdir(join(folder, 'run'))
  await chmod(join(folder, 'run'), 0o777)
  await writeFile(config, `
queryPort: 0
adminPort: ${adminPort}
dataPort: 0
namespaces: [games]
inventory: {provider: file, path: inventory}
resourceQueryMapping: {gameserver: {group: agones.dev, version: v1, resource: gameservers, addressPath: status.address, portName: default}}
`)
  const env = { CONFIG_PATH: config, UDP_DIRECTOR_SOCKET: join(folder, 'run/proxy.sock') }
  const [controlRun, proxyRun] = [new Running(control, env), new Running(proxy, env)]
  await t.rejects(proxyRun.healthCheck(), { code: 1, stdout: /ENOENT.*proxy\.sock/ }, 'not healthy before it runs')
  const processes = [proxyRun.start('proxy'), controlRun.start('control')]
  t.teardown(async () => { await Promise.all(processes.map(async spawned => { spawned.kill('SIGKILL'); await spawned.ended })) })
  await Promise.all([processes[0]!.line('Proxy listening'), processes[1]!.line('Control listening')])
  await Promise.all([
    t.resolves(proxyRun.healthCheck(), 'the proxy is healthy'),
    t.resolves(controlRun.healthCheck(), 'control is healthy'),
    t.resolves(controlRun.node('--input-type=module', '--eval', 'await import("./dist/apps/control/src/inventory/kubernetes/api/credentials.js")'), 'what control loads later is there too')
  ])
  t.equal((await fetch(`http://127.0.0.1:${adminPort}/docs/`)).status, 200, 'the files of the API page are there')
  for (const spawned of processes) spawned.kill('SIGTERM')
  t.strictSame(await Promise.all(processes.map(async ({ ended }) => await ended)), [0, 0])
  await t.rejects(controlRun.healthCheck(), { code: 1, stdout: /ECONNREFUSED/ }, 'not healthy when it has ended')
  t.strictSame(imageNames.map(name => filesIn(images[name].root)), before, 'nothing was written into the image')
})
