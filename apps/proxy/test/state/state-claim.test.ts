// Two proxies on the same state logs: the second one is refused, and has touched nothing.
import { fork } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createFakeClock } from '#testkit/fake-clock.js'
import { claimState, readClaimedState, StateClaimedError } from '../../src/state/state-claim.js'

async function setUp (t: Test) {
  const folder = await mkdtemp(join(tmpdir(), 'claim-'))
  t.teardown(async () => { await rm(folder, { recursive: true, force: true }) })
  const said: string[] = []
  const voice = { log: (_level: string, _fields: object, message: string) => { said.push(message) } }
  const path = join(folder, 'state', 'proxy.state')
  return {
    folder,
    path,
    said,
    claim: async (of = path) => await claimState(of, voice, createFakeClock()),
    read: async () => await readClaimedState(path, ['game'], voice, createFakeClock()),
    files: async () => await readdir(join(folder, 'state'))
  }
}

void t.test('one has the logs, until it gives them up; by another way to the same directory too', async t => {
  const { folder, path, claim, files } = await setUp(t)
  const release = await claim()
  await symlink(join(folder, 'state'), join(folder, 'link'))
  for (const of of [path, join(folder, 'link', 'proxy.state')]) {
    await t.rejects(claim(of), new StateClaimedError(`another proxy has the state logs ${of}.*: end it, or name another place by UDP_DIRECTOR_STATE`))
  }
  t.equal((await files()).length, 1, 'whoever was refused has left nothing')
  const other = await claim(join(folder, 'state', 'other.state'))
  await other()
  await release()
  t.strictSame(await files(), [])
  await (await claim())()
})

void t.test('who is refused has read the logs at most: they are as they were', async t => {
  const { path, claim, read, files, said } = await setUp(t)
  const release = await claim()
  await writeFile(`${path}.0.1`, 'not a state log')
  const before = await files()
  await t.rejects(read(), { message: /another proxy has the state logs/ })
  t.strictSame(await files(), before)
  await release()
  said.length = 0
  const { former, release: releaseOwn } = await read()
  t.strictSame(said, ['State log set aside, what it held is lost'])
  await former.remove()
  await releaseOwn()
  t.strictSame(await files(), ['proxy.state.0.bad'])
})

void t.test('of two that start at once, not both have the logs', async t => {
  const { claim } = await setUp(t)
  for (let round = 0; round < 20; round++) {
    const both = await Promise.allSettled([claim(), claim()])
    const releases = both.flatMap(outcome => outcome.status === 'fulfilled' ? [outcome.value] : [])
    t.ok(releases.length <= 1)
    for (const release of releases) await release()
  }
})

void t.test('a claim dies with its process, and the next one takes its socket away', async t => {
  const { folder, claim, files } = await setUp(t)
  await mkdir(join(folder, 'state'))
  const script = join(folder, 'owner.cjs')
  await writeFile(script, 'require("node:net").createServer().listen(process.argv[2], () => { process.send("listens") })')
  const owner = fork(script, [join(folder, 'state', '.proxy.state.0123abcd.owner')])
  await new Promise<void>(resolve => { owner.once('message', () => { resolve() }) })
  await t.rejects(claim(), { message: /another proxy has the state logs/ })
  const ended = new Promise<void>(resolve => { owner.once('exit', () => { resolve() }) })
  owner.kill('SIGKILL')
  await ended
  t.strictSame(await files(), ['.proxy.state.0123abcd.owner'])
  const release = await claim()
  t.notOk((await files()).includes('.proxy.state.0123abcd.owner'))
  await release()
})

void t.test('what is not a claim on these logs is left alone', async t => {
  const { folder, claim, files } = await setUp(t)
  await mkdir(join(folder, 'state'))
  const listens = async (name: string): Promise<Server> => {
    const server = createServer()
    await new Promise<void>(resolve => { server.listen(join(folder, 'state', name), resolve) })
    t.teardown(() => { server.close() })
    return server
  }
  await listens('.other.state.0123abcd.owner')
  await listens('.proxy.state.0123abcd.owner.bak')
  await writeFile(join(folder, 'state', '.proxy.state.0123.owner'), '')
  const before = await files()
  const release = await claim()
  await release()
  t.strictSame(await files(), before)
})

void t.test('where nothing can be claimed, the proxy starts', async t => {
  const { folder, claim, said } = await setUp(t)
  await writeFile(join(folder, 'state'), 'not a directory')
  await (await claim())()
  t.strictSame(said, [], 'its logs will say what is wrong')
  await (await claim(join(folder, 'x'.repeat(100), 'proxy.state')))()
  t.strictSame(said, ['State logs cannot be claimed, a second proxy on them would not be noticed'])
})
