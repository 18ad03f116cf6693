// The API server that restarts, freezes or wakes up: how soon the inventory is fresh again, and what is told meanwhile.
import t from 'tap'
import { startingPhases } from '#testkit/kube-api/faults/starting-server.js'
import { openRig, server } from './rig.js'

// What the answers of a start take together, and what may come after them: the longest back-off.
const STARTS_IN_MS = startingPhases.reduce((sum, { forMs }) => sum + forMs, 0)
const FRESH_IN_MS = 5500

void t.test('a server that restarts is followed as soon as it is up, and nothing false is said of it', async t => {
  for (const [random, downMs, forgets] of [[0, 3000, true], [0.5, 20_000, true], [0.999, 120_000, false], [0.999, 45_000, true]] as const) {
    await t.test(`away for ${downMs / 1000} s, random ${random}`, async t => {
      const rig = await openRig(t, { random: () => random, prepare: api => { api.load([server('a'), server('b')]) } })
      await rig.converged()
      await rig.api.watching()
      await rig.pass(2000)
      const lists = rig.told.filter(told => told === 'listed ok').length
      let isUp = false
      void rig.api.restart({ downMs, forgets }).then(() => { isUp = true })
      rig.api.store.delete('gameservers', 'games/b')
      await rig.until(() => isUp, downMs + 2000)
      const upMs = rig.clock.now()
      let leastHeld = Infinity
      await rig.until(() => {
        leastHeld = Math.min(leastHeld, rig.held().length)
        return rig.held().length === 1 || rig.inventory.unready('gameserver', 'games') !== undefined
      }, STARTS_IN_MS + FRESH_IN_MS)
      const tookMs = rig.clock.now() - upMs
      t.equal(rig.inventory.unready('gameserver', 'games'), undefined, 'queries were answered all the time')
      t.ok(tookMs <= STARTS_IN_MS + FRESH_IN_MS, `fresh ${tookMs} ms after it accepts connections, ${STARTS_IN_MS} of which it starts`)
      t.equal(leastHeld, 1)
      t.equal(rig.told.filter(told => told === 'listed ok').length - lists, forgets ? 1 : 0, 'no more lists than it takes')
      await rig.until(() => rig.inventory.status().faults.length === 0, 10_000)
      t.notOk(rig.logged.some(line => line.includes('Role')), rig.logged.join('\n'))
      const levels = rig.logged.map(line => line.split(' ', 1)[0])
      t.strictSame(levels, [...levels].sort().reverse(), 'nothing is over before everything is')
      t.equal(levels.filter(level => level === 'warn').length, levels.filter(level => level === 'info').length, 'and then all of it')
    })
  }
})

void t.test('a server that restarts again and again is followed as soon each time', async t => {
  const rig = await openRig(t, { random: () => 0.999, prepare: api => { api.load([server('a')]) } })
  await rig.converged()
  await rig.api.watching()
  const tookMs: number[] = []
  for (let round = 0; round < 8; round++) {
    await rig.pass(35_000)
    let isUp = false
    void rig.api.restart({ downMs: 20_000 }).then(() => { isUp = true })
    rig.api.load([server(`of-round-${round}`)])
    await rig.until(() => isUp, 25_000)
    const upMs = rig.clock.now()
    await rig.converged(90_000)
    tookMs.push(rig.clock.now() - upMs)
  }
  t.ok(tookMs.every(ms => ms <= STARTS_IN_MS + FRESH_IN_MS), tookMs.join())
})

void t.test('a server that freezes does not look healthy, and is there again when it wakes', async t => {
  const rig = await openRig(t, { prepare: api => { api.load([server('a')]) } })
  await rig.converged()
  await rig.api.watching()
  await rig.pass(30_000)
  t.ok(rig.inventory.status().ageMs >= 28_000, 'the age is that of the last word')
  rig.api.watches()[0]!.bookmark()
  await rig.until(() => rig.inventory.status().ageMs < 5000)
  const rule = rig.api.fault({ times: Infinity }, { kind: 'hang' })
  rig.api.watches()[0]!.cut('stall')
  const frozenMs = rig.clock.now()
  for (const seconds of [20, 40, 60]) {
    await rig.until(() => rig.inventory.status().ageMs >= seconds * 1000, 21_000)
    t.ok(rig.clock.now() - frozenMs <= seconds * 1000 + 5000)
  }
  await rig.until(() => rig.inventory.status().faults.length > 0, 60_000)
  t.ok(rig.clock.now() - frozenMs <= 110_000, `told after ${rig.clock.now() - frozenMs} ms`)
  t.match(rig.inventory.status().faults, [/no answer in time/])
  await rig.pass(300_000)
  t.ok(rig.inventory.status().ageMs >= 360_000)
  rig.api.store.delete('gameservers', 'games/a')
  rule.remove()
  const awakeMs = rig.clock.now()
  await rig.converged(25_000)
  t.ok(rig.clock.now() - awakeMs <= 20_500, `fresh after ${rig.clock.now() - awakeMs} ms: what hangs for 15 s and 5 s to the next attempt`)
})

void t.test('a fault that becomes another one is not over', async t => {
  const rig = await openRig(t, { prepare: api => { api.load([server('a')]) } })
  await rig.converged()
  await rig.api.watching()
  await rig.pass(2000)
  const watches = rig.api.fault({ verb: 'watch', times: Infinity }, { kind: 'status', code: 500 })
  rig.api.watches()[0]!.cut('end')
  await rig.until(() => rig.told.includes('relisting stuck'), 70_000)
  await rig.until(() => rig.told.filter(told => told === 'listed ok').length === 2, 10_000)
  await rig.pass(20_000)
  t.equal(rig.logged.length, 1, rig.logged.join('\n'))
  t.match(rig.inventory.status().faults, [/^Cannot watch gameservers/], 'lists work, watches do not')
  watches.remove()
  await rig.until(() => rig.inventory.status().faults.length === 0, 10_000)
  t.match(rig.logged, [/^warn /, /^info Kubernetes fault is over/])
})
