// Every kind of the table is told by somebody, with every change and cause that it names, and as the table says.
import { randomUUID } from 'node:crypto'
import { Value } from '@sinclair/typebox/value'
import type { TSchema } from '@sinclair/typebox'
import t, { type Test } from 'tap'
import { ask, gameServer, startRig, type Rig } from '#testkit/control-rig.js'
import { openFolder } from '#testkit/folder.js'
import { forTest } from '#testkit/for-test.js'
import { until } from '#testkit/patience.js'
import { StoreTwin } from '#testkit/store/store-twin.js'
import { ok } from '#core/result.js'
import type { EventsHub } from '../../src/events/events-hub.js'
import { allKinds, hubKinds, type HubEvent } from '../../src/events/hub-kinds.js'
import { openFileInventory } from '../../src/inventory/file/open-file-inventory.js'
import { FaultBoard } from '../../src/inventory/kubernetes/fault-board.js'
import { sourcesFrom } from '../../src/inventory/kubernetes/api/source.js'
import { mapping } from '../inventory/kube-objects.js'

const key = 'gameserver/game-servers/a'
const query = { resourceType: 'gameserver', namespace: 'game-servers' }
const direct = { address: '10.9.9.9', ports: { default: 7000 } }
const session = { type: 'session', sessionId: '0-1', client: '192.0.2.7:1', target: key } as const

/** What the table names: a kind, with each change or cause that it has. */
function named (): string[] {
  return allKinds.flatMap(kind => {
    const { anyOf, properties } = hubKinds[kind].data as TSchema & { anyOf?: TSchema[], properties?: Record<string, TSchema> }
    const words = (schema: TSchema | undefined): unknown[] => schema === undefined ? [] : schema['const'] === undefined ? (schema['anyOf'] as TSchema[]).flatMap(words) : [schema['const']]
    const variants = anyOf === undefined ? words(properties?.['change'] ?? properties?.['cause']) : anyOf.flatMap(({ properties }) => words((properties as Record<string, TSchema>)['change']))
    return variants.length === 0 ? [kind] : variants.map(variant => `${kind} ${String(variant)}`)
  })
}

function nameOf ({ kind, data }: HubEvent): string {
  const variant = 'change' in data ? data.change : 'cause' in data ? data.cause : undefined
  return variant === undefined ? kind : `${kind} ${variant}`
}

void t.test('every kind and every change of the table happens', async t => {
  const rig = await startRig(t, { objects: [gameServer('a', '10.0.0.1')], config: 'drainTimeoutSeconds: 60', isOffline: true })
  const { features: { events, link }, proxy } = rig
  const heard: HubEvent[] = []
  const readAll = (events: EventsHub): void => {
    const reader = events.read({
      kinds: allKinds,
      wake: () => { for (let item = reader.take(); item !== undefined; item = reader.take()) if (item.kind !== 'missed') heard.push(item) }
    })
  }
  readAll(events)
  link.start()
  await until(() => link.isSynchronised && proxy.openStreams() === 3)
  for (const change of ['established', 'reset', 'moved', 'expired', 'ended'] as const) proxy.emit({ ...session, change })
  proxy.emit({ type: 'target', change: 'gone', target: key, action: 'keep', sessions: 1 })
  await store(t, readAll)
  await tokens(rig)
  await faults(t, rig, events)
  await drain(rig)
  await supersede(rig)
  await until(() => named().every(name => heard.some(event => nameOf(event) === name)), {
    what: () => named().filter(name => !heard.some(event => nameOf(event) === name)).join(', ')
  })
  for (const { kind, data } of heard) t.ok(Value.Check(hubKinds[kind].data, data), `${kind} ${JSON.stringify(data)}`)
  t.notMatch(JSON.stringify(heard.filter(({ kind }) => kind !== 'link')), /[0-9a-f]{8}-[0-9a-f]{4}-4/, 'no token')
})

async function store (t: Test, readAll: (events: EventsHub) => void): Promise<void> {
  let twin: StoreTwin | undefined
  const { features, proxy, clock } = await startRig(t, {
    openStore: clock => {
      const opened = twin = new StoreTwin({ clock, random: () => 0 })
      return async ({ replica, events, deadlineMs }) => await Promise.resolve(ok(opened.open(replica, events, deadlineMs)))
    }
  })
  readAll(features.events)
  const token = randomUUID()
  twin!.data.set(`ud1:t:{${token}}`, `- ${JSON.stringify({ v: 1, h: 'b', t: { key: 'k', address: '169.254.169.254', ports: { default: 80 } } })}`, 60_000)
  proxy.emit({ type: 'asked', id: 1, client: '192.0.2.7:1', dataPort: 'default', token })
  await until(() => {
    clock.advance(0)
    return proxy.answers.length > 0
  })
  twin!.goDown()
  twin!.comeUp()
  clock.advance(200)
}

async function tokens ({ open, admin, proxy, clock, store }: Rig): Promise<void> {
  const { body } = await ask(open, 'POST', '/query', query)
  const { token } = body as { token: string }
  proxy.emit({ type: 'redeemed', token, dataPort: 'default', sessionId: '0-1' })
  await ask(open, 'POST', '/query', { ...query, namespace: 'none' })
  await ask(admin, 'POST', '/tokens', { ...direct, address: 'nowhere' })
  await ask(admin, 'DELETE', `/tokens/${token}`)
  await ask(open, 'POST', '/query', query)
  store.replace(new Map([['gameserver', []]]))
  await proxy.until(() => [...proxy.voidTokens.values()].includes('withdrawn'))
  let release = (): void => undefined
  const released = new Promise<void>(resolve => { release = resolve })
  proxy.hook = ({ name }) => name === 'pushTokens' ? { kind: 'delay', until: released } : undefined
  const late = ask(admin, 'POST', '/tokens', direct)
  const before = proxy.tokens.size
  await proxy.until(() => proxy.tokens.size > before)
  clock.advance(1000)
  await late
  proxy.hook = () => undefined
  release()
}

async function faults (t: Test, { clock }: Rig, events: EventsHub): Promise<void> {
  const folder = await forTest(t, openFolder())
  const path = folder.write('a.yaml', 'kind: [')
  const log = { info: () => undefined, warn: () => undefined }
  const opened = await openFileInventory({ path, mappings: { gameserver: mapping() }, clock, log, events })
  if (!opened.ok) throw new Error(opened.error.message)
  folder.write('a.yaml', JSON.stringify(gameServer('b', '10.0.0.2')))
  await until(() => {
    clock.advance(20)
    return opened.value.status().faults.length === 0
  }, { what: () => opened.value.status().faults.join() })
  await opened.value.close()
  const board = new FaultBoard(events)
  const [source] = sourcesFrom({ resourceQueryMapping: { gameserver: mapping() }, namespaces: ['games'] })
  board.set(source!, 'list', { summary: 'It is forbidden', detail: 'to list' })
  board.set(source!, 'list', undefined)
}

async function drain ({ features, proxy, clock }: Rig): Promise<void> {
  proxy.left = { sessions: 1, unredeemedTokens: 0, stopping: false }
  const endMs = clock.now() + 12_000
  let isOver = false
  void features.drain.run().then(() => { isOver = true })
  await until(() => {
    clock.advance(100)
    if (clock.now() > endMs) proxy.left = { sessions: 0, unredeemedTokens: 0, stopping: false }
    return isOver
  })
}

async function supersede ({ features: { link }, proxy, clock }: Rig): Promise<void> {
  proxy.cutStreams()
  await until(() => {
    clock.advance(10)
    return link.isSynchronised
  })
  proxy.epoch = Number.MAX_SAFE_INTEGER - 10_000
  proxy.controlled = true
  proxy.cutStreams()
  await until(() => {
    clock.advance(10)
    return link.status().state === 'superseded'
  })
  proxy.controlled = false
  await until(() => {
    clock.advance(10)
    return link.isSynchronised
  })
}
