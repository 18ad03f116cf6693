// What the proxy finds when it starts, whatever is wrong with the directory and the disk.
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createFakeClock, type FakeClock } from '#testkit/fake-clock.js'
import { createCore } from '../../src/core/core.js'
import { READ_WAIT_MS, readFormerState, type FormerState } from '../../src/state/former-state.js'
import { savedFilesAt, type SavedFiles } from '../../src/state/files/saved-files.js'
import { openStateDirectory } from '../../src/state/files/state-directory.js'
import { StateLog } from '../../src/state/state-log.js'
import { silentObserver, testOptions } from '../core/core-driver.js'

const dataPorts = [{ name: 'game', port: 7777 }, { name: 'voice', port: 7778 }]
const names = dataPorts.map(({ name }) => name)

interface Place {
  readonly folder: string
  readonly path: string
  readonly clock: FakeClock
  readonly said: string[]
  readonly health: string[]
  readonly start: (files?: SavedFiles) => Promise<FormerState>
  readonly openLog: (generation: number, unreadBefore?: number) => StateLog
}

async function setUp (t: Test): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'state-'))
  t.teardown(async () => { await rm(folder, { recursive: true, force: true }) })
  const path = join(folder, 'state', 'proxy.state')
  const clock = createFakeClock()
  const said: string[] = []
  const health: string[] = []
  return {
    folder,
    path,
    clock,
    said,
    health,
    start: async files => await readFormerState(path, names, { log: (_level, _fields, message) => { said.push(message) } }, clock, files),
    openLog: (generation, unreadBefore) => {
      const { state } = createCore(testOptions(), silentObserver)
      const log = new StateLog({
        storage: openStateDirectory(path),
        state,
        clock,
        unreadBefore,
        header: { run: `run ${generation}`, bootId: 'fake-boot', shard: 0, shards: 1, generation, dataPorts },
        onHealth: ({ status }) => { health.push(status) }
      })
      log.open()
      t.teardown(() => { log.close() })
      return log
    }
  }
}

/** As many looks at the files as it takes to find out, and to begin anew. */
function passTime ({ clock }: Place, log: StateLog): void {
  for (let second = 0; second < 15; second++) {
    clock.advance(1000)
    log.tick()
  }
}

/** A start whose state logs cannot be read until `answer` is called. */
function startOnHungDisk (place: Awaited<ReturnType<typeof setUp>>): { readonly starting: ReturnType<typeof place.start>, readonly answer: () => void } {
  const real = savedFilesAt(place.path)
  let answer: () => void = () => {}
  const answered = new Promise<void>(resolve => { answer = resolve })
  const starting = place.start({ ...real, read: async () => { await answered; return await real.read() } })
  place.clock.advance(READ_WAIT_MS)
  return { starting, answer }
}

void t.test('a disk that does not answer is not waited for, and what it held is set aside once it does', async t => {
  const place = await setUp(t)
  place.openLog(3).close()
  const { starting, answer } = startOnHungDisk(place)
  const { saved, faults, remove } = await starting
  t.strictSame(place.said, ['State logs were not read in time, what they hold is not used'])
  t.equal(saved.shards.size, 0)
  t.equal(faults, 1)
  // Meanwhile the disk is there again: this life's log is not among those that are set aside, nor the other one lost.
  place.openLog(saved.nextGeneration)
  await remove()
  const mine = `proxy.state.0.${saved.nextGeneration}`
  t.strictSame((await readdir(join(place.folder, 'state'))).sort(), [mine, 'proxy.state.0.3'].sort())
  answer()
  for (let found: string[] = []; !found.includes('proxy.state.0.bad');) found = await readdir(join(place.folder, 'state'))
  t.strictSame((await readdir(join(place.folder, 'state'))).sort(), [mine, 'proxy.state.0.bad'].sort())
  t.equal((await place.start()).saved.shards.size, 1, 'the next start finds it')
})

void t.test('logs that were not read in time are kept when writing fails before the disk answers', async t => {
  const place = await setUp(t)
  place.openLog(3).close()
  const { starting, answer } = startOnHungDisk(place)
  const { saved, unreadBefore } = await starting
  const log = place.openLog(saved.nextGeneration, unreadBefore)
  await rm(`${place.path}.0.${saved.nextGeneration}`)
  passTime(place, log)
  t.strictSame(place.health, ['failed', 'written'])
  t.ok((await readdir(join(place.folder, 'state'))).includes('proxy.state.0.3'), 'not lost')
  answer()
  for (let found: string[] = []; !found.includes('proxy.state.0.bad');) found = await readdir(join(place.folder, 'state'))
  t.equal((await place.start()).saved.shards.size, 1, 'the next start finds what this life wrote')
})

void t.test('logs that were read are of no use after a failure to write: they tell of a past that was not the last', async t => {
  const place = await setUp(t)
  place.openLog(3).close()
  const { saved, unreadBefore } = await place.start()
  const log = place.openLog(saved.nextGeneration, unreadBefore)
  await rm(`${place.path}.0.${saved.nextGeneration}`)
  while (place.health.length === 0) {
    place.clock.advance(1000)
    log.tick()
  }
  t.strictSame(await readdir(join(place.folder, 'state')), [])
})

void t.test('a directory that vanishes is made again; one that something else has taken the place of is waited for', async t => {
  const place = await setUp(t)
  const log = place.openLog(1)
  await rm(join(place.folder, 'state'), { recursive: true })
  passTime(place, log)
  t.strictSame(place.health, ['failed', 'written'])
  t.equal((await place.start()).saved.shards.size, 1)

  await rm(join(place.folder, 'state'), { recursive: true })
  await writeFile(join(place.folder, 'state'), 'not a directory')
  passTime(place, log)
  t.strictSame(place.health, ['failed', 'written', 'failed'])
  t.equal(log.bytes, 0)
  await rm(join(place.folder, 'state'))
  passTime(place, log)
  t.strictSame(place.health, ['failed', 'written', 'failed', 'written'])
})

void t.test('a directory that is replaced by another gets a log of its own; a log that is replaced or cut is not gone on with', async t => {
  const place = await setUp(t)
  const log = place.openLog(1)
  await rm(join(place.folder, 'state'), { recursive: true })
  await mkdir(join(place.folder, 'state'))
  passTime(place, log)
  t.strictSame(place.health, ['failed', 'written'])
  const [name] = await readdir(join(place.folder, 'state'))
  await rm(join(place.folder, 'state', name!))
  await writeFile(join(place.folder, 'state', name!), 'of somebody else')
  passTime(place, log)
  t.strictSame(place.health, ['failed', 'written', 'failed', 'written'])
  t.equal((await place.start()).saved.shards.size, 1)
})

void t.test('logs and directories of another owner keep nobody from starting', async t => {
  const { getuid, seteuid } = process
  if (getuid?.() !== 0 || seteuid === undefined) {
    t.comment('NOT RUN: only root can give files to another owner')
    return
  }
  const place = await setUp(t)
  place.openLog(1).close()
  await chmod(place.folder, 0o711)
  // A worker of nobody: the call is for this whole process until it is taken back.
  const asNobody = async <Value> (run: () => Promise<Value>): Promise<Value> => {
    seteuid(65534)
    try {
      return await run()
    } finally {
      seteuid(0)
    }
  }
  // Everybody may write to it, and nobody touches the files of others: as in /tmp.
  await chmod(join(place.folder, 'state'), 0o1777)
  await asNobody(async () => {
    const former = await place.start()
    t.equal(former.saved.shards.size, 0)
    t.strictSame(former.saved.faulty, [{ name: '0.1', reason: 'unreadable' }])
    const log = place.openLog(former.saved.nextGeneration)
    t.ok(log.isComplete)
    await former.remove()
    t.strictSame(place.said, ['State log set aside, what it held is lost', 'State log cannot be set aside'])
    log.close()
  })
  // Nobody but its owner.
  await chmod(join(place.folder, 'state'), 0o700)
  place.said.length = 0
  place.health.length = 0
  await asNobody(async () => {
    t.equal((await place.start()).saved.shards.size, 0)
    t.strictSame(place.said, ['State logs cannot be read'])
    t.equal(place.openLog(9).bytes, 0)
    t.strictSame(place.health, ['failed'])
  })
})
