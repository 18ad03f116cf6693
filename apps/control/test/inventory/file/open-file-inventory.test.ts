// The file inventory over real files, on a clock that the test moves: only the file system's own notice takes real time.
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createFakeClock, type FakeClock } from '#testkit/fake-clock.js'
import { until as comes } from '#testkit/patience.js'
import { SETTLED_MS } from '../../../src/inventory/file/held.js'
import type { ReloadOutcome } from '../../../src/inventory/file/followed-files.js'
import { openFileInventory } from '../../../src/inventory/file/open-file-inventory.js'
import type { Inventory } from '../../../src/inventory/objects/inventory.js'
import { SERVICES_TYPE } from '../../../src/inventory/objects/resource-types.js'
import { loggedEvents, recordingSink } from '../../events/recording-sink.js'
import { mapping } from '../kube-objects.js'

const server = (name: string, state = 'Ready'): string =>
  `apiVersion: agones.dev/v1\nkind: GameServer\nmetadata: {name: ${name}, namespace: games}\nstatus: {state: ${state}}\n`

interface Bench {
  readonly inventory: Inventory
  readonly clock: FakeClock
  readonly reloads: ReloadOutcome[]
  readonly logged: string[]
  readonly changes: string[][]
  readonly names: () => string[]
}

async function directory (t: Test, files: Readonly<Record<string, string>> = {}): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'inventory-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text)
  return path
}

// As editors do: a reading that is under way finds the old text or the new, never half of it.
async function replaceFile (path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text)
  await rename(`${path}.new`, path)
}

async function open (t: Test, path: string): Promise<Bench> {
  const clock = createFakeClock()
  const reloads: ReloadOutcome[] = []
  const logged: string[] = []
  const changes: string[][] = []
  const write = (level: string) => (fields: object, message: string): void => { logged.push(`${level} ${message} ${JSON.stringify(fields)}`) }
  const log = { info: write('info'), warn: write('warn') }
  const opened = await openFileInventory({
    path,
    mappings: { gameserver: mapping() },
    clock,
    log,
    events: loggedEvents(log),
    onReload: outcome => { reloads.push(outcome) }
  })
  if (!opened.ok) throw new Error(opened.error.message)
  const inventory = opened.value
  t.teardown(() => inventory.close())
  const names = (): string[] => [...inventory.find('gameserver', 'games')].map(({ metadata }) => metadata.name)
  inventory.onChange(() => { changes.push(names()) })
  return { inventory, clock, reloads, logged, changes, names }
}

// Lets the watch, the polls and the debounce happen until `isReached`, the clock standing still once it says `endMs`.
async function until (clock: FakeClock, isReached: () => boolean, endMs = Infinity): Promise<void> {
  await comes(() => {
    if (isReached()) return true
    if (clock.now() < endMs) clock.advance(20)
    return false
  }, { what: isReached.toString() })
}

void t.test('a path that cannot be read is the caller\'s to know', async t => {
  const path = await directory(t)
  const deps = { mappings: {}, clock: createFakeClock(), log: { info: () => {}, warn: () => {} }, events: recordingSink() }
  t.match(await openFileInventory({ ...deps, path: join(path, 'none') }), { ok: false, error: { reason: 'not_found', message: /inventory\.path: .*none does not exist/ } })
  t.match(await openFileInventory({ ...deps, path: '/dev/null' }), { ok: false, error: { reason: 'not_a_file_or_directory' } })
  t.equal(deps.clock.pending(), 0, 'nothing is left behind')
})

void t.test('a directory is its files of YAML and JSON, one file is itself', async t => {
  const path = await directory(t, {
    'b.yml': server('b'),
    'a.yaml': server('a'),
    'c.json': JSON.stringify({ apiVersion: 'agones.dev/v1', kind: 'GameServer', metadata: { name: 'c', namespace: 'games' } }),
    'notes.txt': 'kind: [',
    '.a.yaml.swp': 'kind: [',
    'a.yaml~': 'kind: ['
  })
  await mkdir(join(path, 'deeper.yaml'))
  await writeFile(join(path, 'deeper.yaml', 'd.yaml'), server('d'))
  const { inventory, names, reloads } = await open(t, path)
  t.strictSame(names(), ['a', 'b', 'c'])
  t.strictSame(inventory.status(), { synced: true, ageMs: 0, faults: [] })
  t.strictSame(reloads, ['ok'])
  t.equal(inventory.get('gameserver', 'games', 'b')?.kind, 'GameServer')
  t.strictSame(inventory.sizes(), new Map([['gameserver', 3]]))

  const single = await open(t, join(path, 'b.yml'))
  t.strictSame(single.names(), ['b'])
  await replaceFile(join(path, 'b.yml'), server('b2'))
  await until(single.clock, () => single.names()[0] === 'b2')
  await replaceFile(join(path, 'a.yaml'), server('a2'))
  await until(single.clock, () => single.clock.now() > 20_000)
  t.strictSame(single.reloads, ['ok', 'ok'], 'changes of its neighbours are none of its business')
})

void t.test('changes are taken over as a whole, and told once', async t => {
  const path = await directory(t, { 'a.yaml': server('a') })
  const { clock, names, changes, reloads, logged } = await open(t, path)
  await writeFile(join(path, 'a.yaml'), `${server('a', 'Allocated')}---\n${server('b')}`)
  await writeFile(join(path, 'c.yaml'), server('c'))
  await until(clock, () => names().length === 3)
  t.strictSame(changes, [['a', 'b', 'c']])

  await replaceFile(join(path, 'a.yaml'), server('a3'))
  await until(clock, () => names()[0] === 'a3')
  t.strictSame(changes.at(-1), ['a3', 'c'], 'an editor that replaces the file')

  await rm(join(path, 'c.yaml'))
  await until(clock, () => names().length === 1)
  const told = changes.length
  const read = reloads.length
  await replaceFile(join(path, 'a.yaml'), `# the same\n${server('a3')}`)
  await until(clock, () => reloads.length > read)
  t.equal(changes.length, told, 'nothing but a comment has changed')
  t.equal(logged.filter(line => line.startsWith('warn')).length, 0)
})

void t.test('YAML that breaks while running keeps its last good content, is told once, and recovers', async t => {
  const path = await directory(t, { 'a.yaml': server('a'), 'b.yaml': server('b') })
  const { inventory, clock, names, changes, reloads, logged } = await open(t, path)
  await replaceFile(join(path, 'a.yaml'), 'kind: GameServer\nmetadata: [\n')
  await replaceFile(join(path, 'b.yaml'), server('b2'))
  await until(clock, () => inventory.status().faults.length > 0 && names().includes('b2'))
  t.strictSame(names(), ['a', 'b2'], 'the other file goes on')
  t.match(inventory.status(), { synced: true, faults: [/^a\.yaml:3:1: /] })
  t.equal(reloads.at(-1), 'fault')
  const ageMs = inventory.status().ageMs
  const told = changes.length
  await until(clock, () => inventory.status().ageMs > ageMs + 60_000)
  const warnings = (): string[] => logged.filter(line => line.startsWith('warn'))
  t.equal(warnings().length, 1, 'a minute later it has been logged once')
  t.match(warnings()[0], /broken.*a\.yaml:3:1/)
  t.equal(changes.length, told)

  await replaceFile(join(path, 'a.yaml'), 'apiVersion: agones.dev/v1\nkind: GameServer\nmetadata: {}\n')
  await until(clock, () => inventory.status().faults[0]?.includes('metadata.name') === true)
  t.equal(warnings().length, 2, 'another fault is another line')
  await replaceFile(join(path, 'a.yaml'), server('a2'))
  await until(clock, () => inventory.status().faults.length === 0)
  t.strictSame(names(), ['a2', 'b2'])
  t.equal(reloads.at(-1), 'ok')
  t.equal(logged.filter(line => line.includes('without fault again')).length, 1)
})

void t.test('a file that is broken from the start does not stand in the way of the others', async t => {
  const path = await directory(t, { 'a.yaml': 'kind: [', 'b.yaml': server('b') })
  const { inventory, clock, names, reloads } = await open(t, path)
  t.strictSame(names(), ['b'])
  t.match(inventory.status(), { synced: true, ageMs: 0, faults: [/^a\.yaml:1:/] })
  t.strictSame(reloads, ['fault'])
  await until(clock, () => inventory.status().ageMs > 20_000)
  t.strictSame(reloads, ['fault'], 'what has not changed is not read again')
})

void t.test('the age starts anew whenever the files are found to be as they were read', async t => {
  const { inventory, clock } = await open(t, await directory(t, { 'a.yaml': server('a') }))
  clock.advance(4999)
  t.equal(inventory.status().ageMs, 4999)
  clock.advance(1)
  await until(clock, () => inventory.status().ageMs === 0, clock.now())
  t.equal(clock.now(), 5000)
})

void t.test('a path that disappears keeps what it had, and is watched again when it is back', async t => {
  const parent = await directory(t)
  const path = join(parent, 'inventory')
  await mkdir(path)
  await writeFile(join(path, 'a.yaml'), server('a'))
  const { inventory, clock, names, logged, reloads } = await open(t, path)
  await rename(path, join(parent, 'gone'))
  await until(clock, () => inventory.status().faults.length > 0)
  t.strictSame(names(), ['a'])
  t.strictSame(inventory.status().faults, [`${path}: does not exist`])
  const read = reloads.length
  await until(clock, () => inventory.status().ageMs > 20_000)
  t.equal(reloads.length, read, 'that it is still gone is nothing new')

  await mkdir(path)
  await writeFile(join(path, 'b.yaml'), server('b'))
  await until(clock, () => names()[0] === 'b')
  t.strictSame(inventory.status().faults, [])
  const soonMs = clock.now() + 1000
  await replaceFile(join(path, 'c.yaml'), server('c'))
  await until(clock, () => names().length === 2, soonMs)
  t.strictSame(names(), ['b', 'c'], 'by the system\'s notice, before the next poll')
  t.equal(logged.filter(line => line.startsWith('warn')).length, 1)
})

void t.test('a directory that is replaced by another is the one that is watched', async t => {
  const parent = await directory(t)
  const [path, next] = [join(parent, 'current'), join(parent, 'next')]
  for (const [at, name] of [[path, 'a'], [next, 'b']] as const) {
    await mkdir(at)
    await writeFile(join(at, 'servers.yaml'), server(name))
  }
  const { clock, names, reloads } = await open(t, path)
  await rename(path, join(parent, 'former'))
  await rename(next, path)
  await until(clock, () => names()[0] === 'b')
  t.strictSame(reloads, ['ok', 'ok'], 'it was never seen to be missing')
  await replaceFile(join(path, 'servers.yaml'), server('c'))
  await until(clock, () => names()[0] === 'c', clock.now() + 1000)
  t.strictSame(names(), ['c'])
})

void t.test('a mounted ConfigMap is read anew when its link is swapped', async t => {
  const path = await directory(t)
  const version = async (name: string, text: string): Promise<void> => {
    await mkdir(join(path, name))
    await writeFile(join(path, name, 'servers.yaml'), text)
    await symlink(name, join(path, '..data_tmp'))
    await rename(join(path, '..data_tmp'), join(path, '..data'))
  }
  await version('..2026_01', server('a'))
  await symlink('..data/servers.yaml', join(path, 'servers.yaml'))
  const { clock, names, changes } = await open(t, path)
  t.strictSame(names(), ['a'])
  await version('..2026_02', server('b'))
  await until(clock, () => names()[0] === 'b', clock.now() + 1000)
  t.strictSame(changes, [['b']])
})

void t.test('what cannot be read is a fault: a link to nothing, a pipe\'s like, a file out of bounds', async t => {
  const path = await directory(t, { 'a.yaml': server('a'), 'huge.json': ' '.repeat(16 * 1024 * 1024 + 1) })
  await symlink('nowhere', join(path, 'link.yaml'))
  await symlink('/dev/null', join(path, 'null.yaml'))
  const { inventory, names } = await open(t, path)
  t.strictSame(names(), ['a'])
  t.match(inventory.status().faults, [/^huge\.json: the file has 16777217 bytes/, /^link\.yaml: .*ENOENT/, /^null\.yaml: this is not a file/])
})

void t.test('what a file written in place lacks is gone once the file is at rest, of which no notice comes', async t => {
  const path = await directory(t, { 'all.yaml': `${server('a')}---\n${server('b')}` })
  const { clock, names, logged, reloads } = await open(t, path)
  // In place: the same file, shorter.
  await writeFile(join(path, 'all.yaml'), server('a'))
  await until(clock, () => reloads.length > 1)
  t.strictSame(names(), ['a', 'b'], 'it may be half-written')
  t.match(logged.filter(line => line.includes('written in place')), [/"held":1/])
  const foundMs = clock.now()
  await until(clock, () => names().length === 1)
  t.strictSame(names(), ['a'])
  t.ok(clock.now() - foundMs <= SETTLED_MS + 2000, `after ${clock.now() - foundMs} ms`)
})

void t.test('a closed inventory does nothing more', async t => {
  const path = await directory(t, { 'a.yaml': server('a') })
  const { inventory, clock, names, reloads } = await open(t, path)
  await writeFile(join(path, 'a.yaml'), server('b'))
  await until(clock, () => clock.pending() > 1)
  await inventory.close()
  t.equal(clock.pending(), 0)
  clock.advance(60_000)
  t.strictSame((await open(t, path)).names(), ['b'], 'another one has read it meanwhile')
  t.strictSame(names(), ['a'])
  t.strictSame(reloads, ['ok'])
})

void t.test('Services are held for mappings that route to them', async t => {
  const path = await directory(t, { 'a.yaml': `${server('a')}---\napiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: games, labels: {gs: a}}\n` })
  const deps = { path, clock: createFakeClock(), log: { info: () => {}, warn: () => {} }, events: recordingSink() }
  const legacy = { group: 'agones.dev', version: 'v1', resource: 'gameservers', serviceSelectorLabel: 'gs', serviceTargetPortName: 'default' }
  const opened = await openFileInventory({ ...deps, mappings: { legacy } })
  if (!opened.ok) throw new Error(opened.error.message)
  t.equal([...opened.value.find(SERVICES_TYPE, 'games', { gs: 'a' })].length, 1)
  t.strictSame(opened.value.sizes(), new Map([['legacy', 1], [SERVICES_TYPE, 1]]))
  await opened.value.close()
})
