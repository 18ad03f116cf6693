// The Kubernetes API gone for an hour: queries are answered from memory all the time, and everybody can see how old it is.
import t from 'tap'
import { openRig } from './inventory/kubernetes/rig.js'
import { ask, gameServer, startRig } from '#testkit/control-rig.js'

const query = { resourceType: 'gameserver', namespace: 'game-servers' }
const QUARTER_MS = 900_000
const ageMetric = /^udp_director_inventory_last_success_age_seconds (\S+)$/m

void t.test('the Kubernetes API is gone for an hour', async t => {
  const cluster = await openRig(t, { config: { namespaces: ['game-servers'] }, prepare: api => { api.load([gameServer('a', '10.0.0.1')]) } })
  await cluster.until(() => cluster.inventory.status().synced)
  const { open, admin } = await startRig(t, { config: 'exposeTarget: true\n', inventory: cluster.inventory })
  const age = async (): Promise<number> => {
    const [, seconds = 'none'] = ageMetric.exec((await ask(admin, 'GET', '/metrics')).text) ?? []
    return Number(seconds)
  }
  t.match(await ask(open, 'POST', '/query', query), { status: 200, body: { address: '10.0.0.1' } })
  t.match((await ask(admin, 'GET', '/healthz')).body, { status: 'ok', inventory: { status: 'ok' } })

  // A watch that has stood for a second is a word of the server's too.
  await cluster.pass(2000)
  cluster.api.refuse()
  cluster.api.drop('reset')
  cluster.api.store.delete('gameservers', 'game-servers/a')
  cluster.api.load([gameServer('b', '10.0.0.2')])
  for (let quarter = 1; quarter <= 4; quarter++) {
    await cluster.pass(QUARTER_MS)
    const seconds = quarter * QUARTER_MS / 1000
    const answer = await ask(open, 'POST', '/query', query)
    t.match(answer, { status: 200, body: { address: '10.0.0.1' } }, `${seconds} s: what was last known to be true`)
    t.equal((await ask(open, 'GET', '/readyz')).status, 200, 'ready: a restart would only make it forget')
    t.match((await ask(open, 'GET', '/healthz')).body, { status: 'degraded', inventory: { status: 'stale', objects: { gameserver: 1 } } })
    const { inventory } = (await ask(admin, 'GET', '/healthz')).body as { inventory: { ageSeconds: number, faults: string[] } }
    t.ok(inventory.ageSeconds >= seconds, `its age is told: ${inventory.ageSeconds}`)
    t.match(inventory.faults, [/^The Kubernetes API cannot be reached: /])
    t.ok(await age() >= seconds, 'and is a metric')
  }
  t.equal(cluster.logged.filter(line => line.startsWith('warn')).length, 1, 'the log says it once')

  await cluster.api.accept()
  await cluster.until(() => cluster.inventory.get('gameserver', 'game-servers', 'b') !== undefined && cluster.inventory.status().faults.length === 0, 70_000)
  t.match(await ask(open, 'POST', '/query', query), { status: 200, body: { address: '10.0.0.2' } })
  t.match((await ask(admin, 'GET', '/healthz')).body, { status: 'ok', inventory: { status: 'ok', faults: [] } })
  t.ok(await age() < 70)
})
