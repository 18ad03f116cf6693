import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { until } from '#testkit/patience.js'
import { memoryFolder } from '../../src/private-directory/memory-folder.js'
import { currentOwner, isGone, ownerFrom, type Owner } from '../../src/private-directory/owner.js'
import { openPrivateDirectory } from '../../src/private-directory/private-directory.js'
import { OWNER_FILE, PREFIX, sweepAbandoned } from '../../src/private-directory/sweep.js'

const us = currentOwner()

// Numbers of processes end well below it: proc_sys_kernel(5), pid_max.
const nobody: Owner = { ...us, pid: 2 ** 30 }

function directoryOf (parent: string, name: string, owner: string): string {
  const path = join(parent, `${PREFIX}${name}`)
  mkdirSync(join(path, 'inventory'), { recursive: true })
  writeFileSync(join(path, 'proxy.state.0.1'), 'clients')
  writeFileSync(join(path, OWNER_FILE), owner)
  return path
}

function setTemporaryFolder (t: Test, folder: string): void {
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = folder
  t.teardown(() => { if (before === undefined) Reflect.deleteProperty(process.env, 'TMPDIR'); else process.env['TMPDIR'] = before })
}

void t.test('a new run removes what one that was killed has left, and nothing else', async t => {
  const folder = t.testdir({ parent: {}, elsewhere: {} })
  const [parent, elsewhere] = [join(folder, 'parent'), join(folder, 'elsewhere')]
  directoryOf(parent, 'dead', JSON.stringify(nobody))
  directoryOf(parent, 'mine', JSON.stringify(us))
  directoryOf(parent, 'other-host', JSON.stringify({ ...nobody, host: 'elsewhere' }))
  directoryOf(parent, 'garbled', JSON.stringify(nobody).slice(0, -3))
  mkdirSync(join(parent, `${PREFIX}ownerless`))
  writeFileSync(join(parent, `${PREFIX}file`), '')
  const aim = directoryOf(elsewhere, 'aim', JSON.stringify(nobody))
  symlinkSync(aim, join(parent, `${PREFIX}link`))
  mkdirSync(join(parent, 'of-somebody'))
  writeFileSync(join(parent, 'of-somebody', OWNER_FILE), JSON.stringify(nobody))
  sweepAbandoned(parent)
  t.same(readdirSync(parent).sort(), ['of-somebody', ...['file', 'garbled', 'link', 'mine', 'other-host', 'ownerless'].map(name => `${PREFIX}${name}`)])
  t.ok(existsSync(join(aim, 'proxy.state.0.1')), 'what a link leads to is not touched')
  t.doesNotThrow(() => { sweepAbandoned(join(parent, 'not-there')) })
})

void t.test('the directory of another user stays', { skip: process.getuid?.() === 0 ? false : 'only root can make one' }, async t => {
  const parent = t.testdir({})
  const path = directoryOf(parent, 'theirs', JSON.stringify(nobody))
  chownSync(path, 1, 1)
  sweepAbandoned(parent)
  t.ok(existsSync(path))
})

void t.test('an owner is gone only when that is certain', async t => {
  t.notOk(isGone(us))
  t.ok(isGone(nobody))
  t.ok(isGone({ ...us, bootId: 'the start before' }, us), 'no process outlives the machine')
  t.notOk(isGone({ ...nobody, pidNamespace: 'pid:[1]' }, us), 'a container has numbers of its own')
  t.notOk(isGone({ ...nobody, pidNamespace: 'pid:[1]', bootId: 'the start before' }, us))
  t.same(ownerFrom(JSON.stringify(us)), us)
  for (const text of ['', '[]', 'null', '{"pid":0,"host":"a"}', '{"pid":"1","host":"a"}', '{"pid":1}']) t.equal(ownerFrom(text), undefined, text)
})

void t.test('a number that another process has now, and a process that only waits to be asked how it ended', { skip: existsSync('/proc/self/stat') ? false : 'there is no /proc' }, async t => {
  t.ok(isGone({ ...us, startedTicks: '1' }, us))
  // The shell becomes sleep(1), which never asks for its children.
  const shell = spawn('sh', ['-c', 'sh -c "echo \\$\\$" & exec sleep 1000'], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => shell.kill('SIGKILL'))
  const pid = Number(String((await once(shell.stdout, 'data'))[0]))
  const status = (): string[] => readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\)/s, '').trim().split(' ')
  await until(() => status()[0] === 'Z')
  t.ok(isGone({ ...us, pid, startedTicks: status()[19] }, us))
})

void t.test('state goes into memory where there is a place for it; closing leaves nothing', async t => {
  const parent = t.testdir({})
  setTemporaryFolder(t, parent)
  directoryOf(parent, 'dead', JSON.stringify(nobody))
  const directory = openPrivateDirectory()
  t.same(readdirSync(parent), [directory.path.slice(parent.length + 1)])
  t.equal(directory.socketPath, join(directory.path, 'proxy.sock'))
  t.ok(directory.statePath.startsWith(join(memoryFolder() ?? parent, PREFIX)), directory.statePath)
  writeFileSync(`${directory.statePath}.0.1`, '')
  t.notOk(isGone(ownerFrom(readFileSync(join(directory.path, OWNER_FILE), 'utf8'))!))
  directory.close()
  directory.close()
  t.same(readdirSync(parent), [])
  t.notOk(existsSync(`${directory.statePath}.0.1`))
})

void t.test('a place that is not memory, not writable or not there is none', async t => {
  t.equal(memoryFolder(['/not/there', '/proc']), undefined)
})
