// The simulation itself: that the worlds of a fixed budget hold, that a run can be replayed bit for bit, and that every
// invariant can fail. `npm run simulate` goes on where this ends.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { invariants, type Invariant } from '../checks/invariants.js'
import { help, readOptions } from '../options.js'
import { plants, type Plant } from '../checks/plants.js'
import { run } from '../run.js'

// A few seconds of processor time on a slow machine; .ci/run has the full 200 seeds of 2,000 steps.
const SEEDS = 40
const STEPS = 1000
// Most are found in the first seed or two.
const SEEDS_OF_A_PLANT = 12

void t.test('what must hold holds in the worlds of a fixed budget', async t => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { violation } = await run({ seed, steps: STEPS })
    t.equal(violation, undefined, `npm run simulate -- --seed ${seed} --seeds 1 --steps ${STEPS}`)
  }
})

void t.test('the same seed is the same run, and another one is another', async t => {
  const options = { seed: 5, steps: 800 }
  const first = await run(options)
  t.same(await run(options), first)
  t.not((await run({ ...options, seed: 6 })).hash, first.hash)
  t.not((await run({ ...options, steps: 801 })).hash, first.hash)
})

for (const plant of Object.keys(plants) as Plant[]) {
  void t.test(`it finds that ${plants[plant].says}`, async t => {
    const { seed, invariant } = await find(plant)
    t.ok((plants[plant].found as readonly Invariant[]).includes(invariant!), `${String(invariant)} in seed ${seed}`)
  })
}

void t.test('there is no invariant that no planted bug can break', t => {
  const broken = new Set<Invariant>(Object.values(plants).map(({ found: [first] }) => first))
  t.same(broken, new Set(Object.keys(invariants)))
  t.end()
})

void t.test('a violation ends the run with the command that shows it again', async t => {
  const { seed, steps, hash } = await find('buffersMixed')
  const { code, stderr } = await simulate('--plant', 'buffersMixed', '--seeds', '3', '--seed', String(seed))
  t.equal(code, 1)
  t.match(stderr, `Seed ${seed}, step ${steps}: onlyOwnTarget does not hold.`)
  t.match(stderr, `Trace ${hash}.`, 'another process sees the same')
  const command = /npm run simulate -- (.*)$/m.exec(stderr)?.[1]
  const again = await simulate(...command!.split(' '))
  t.same(again, { code: 1, stderr, stdout: '' })
})

void t.test('a run in which everything holds says how much that was', async t => {
  const { code, stdout, stderr } = await simulate('--seeds', '2', '--steps', '50')
  t.same({ code, stderr }, { code: 0, stderr: '' })
  t.match(stdout, /^2 seeds × 50 steps: everything held for \d+\.\d virtual hours \(.* steps a second of it\)\n$/)
})

void t.test('the command line', async t => {
  t.same(await simulate('--help'), { code: 0, stdout: `${help}\n`, stderr: '' })
  t.same(readOptions([]), { ok: true, value: { seeds: 200, steps: 2000, seed: 1, plant: undefined, shared: false } })
  t.same(readOptions(['--seeds', '3', '--steps=4', '--seed', '5', '--plant', 'ttlHalved', '--shared']), { ok: true, value: { seeds: 3, steps: 4, seed: 5, plant: 'ttlHalved', shared: true } })
  for (const wrong of [['--seeds', '0'], ['--steps', 'many'], ['--seed', '-1'], ['--plant', 'none'], ['--fast'], ['word']]) {
    t.equal(readOptions(wrong).ok, false, wrong.join(' '))
  }
  const { code, stderr } = await simulate('--steps', '1.5')
  t.same({ code, stderr }, { code: 64, stderr: '--steps takes whole numbers from 1 on, not "1.5" (--help says what there is)\n' })
})

async function find (plant: Plant): Promise<{ seed: number, steps: number, hash: string, invariant: Invariant | undefined }> {
  for (let seed = 1; seed <= SEEDS_OF_A_PLANT; seed++) {
    const { violation, steps, hash } = await run({ seed, steps: 2000, plant })
    if (violation !== undefined) return { seed, steps, hash, invariant: violation.invariant }
  }
  return { seed: SEEDS_OF_A_PLANT, steps: 0, hash: '', invariant: undefined }
}

// Without what a test runner asks of every child.
async function simulate (...args: readonly string[]): Promise<{ code: number, stdout: string, stderr: string }> {
  const command = ['-u', 'NODE_OPTIONS', process.execPath, 'dist/simulation/main.js', ...args]
  try {
    return { code: 0, ...await promisify(execFile)('/usr/bin/env', command) }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number, stdout: string, stderr: string }
    return { code, stdout, stderr }
  }
}
