// The users of the store in k8s/components/valkey: what a director may do there is what it does, no more and no less. And what it needs
// besides on a cluster, as docs/kubernetes.md says it.
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { openFolder } from '#testkit/folder.js'
import { forTest } from '#testkit/for-test.js'
import { until } from '#testkit/patience.js'
import { startServer, withServer, type StoreServer } from '#testkit/store/store-server.js'
import { conforms, openUp, type OpenStore } from '../conformance.js'
import { opener } from './opening.js'

const PASSWORD = 'of-the-directors'
const ADMIN = 'of-the-administrator'

const written = readFileSync('k8s/components/valkey/users.acl', 'utf8')
const [, director = ''] = written.split('\n')
const allowed = [...director.matchAll(/ \+([a-z|]+)/g)].map(([, command = '']) => command)

/** The commands that were called since the server's start, by their names in ACLs; those that scripts call, too. */
function calledOf (commandstats: unknown): readonly string[] {
  return [...String(commandstats).matchAll(/^cmdstat_([a-z|]+):calls=[1-9]/gm)].map(([, command = '']) => command)
}

const onClusters = /for a cluster `([^`]+)`/.exec(readFileSync('docs/kubernetes.md', 'utf8'))?.[1]?.replaceAll('\\', '') ?? ''

interface Served {
  readonly open: OpenStore
  readonly command: StoreServer['command']
}

/** A server with the users of the file, the director's with `more` rights. */
async function serve (t: Test, more = '', settings: readonly string[] = []): Promise<Served & { readonly port: number, readonly passwordFile: string }> {
  const folder = await forTest(t, openFolder())
  // Somebody has to ask what was called.
  const text = written.replace(/^user default .*$/m, `user default on >${ADMIN} ~* &* +@all`).replace('PASSWORD', PASSWORD).replace(director.replace('PASSWORD', PASSWORD), line => `${line} ${more}`)
  const users = folder.write('users.acl', text)
  const { port, command } = await startServer(t, { settings: ['--aclfile', users, '--maxmemory', '100mb', '--maxmemory-policy', 'noeviction', ...settings], password: ADMIN })
  const passwordFile = folder.write('password', `${PASSWORD}\n`)
  return { port, command, passwordFile, open: opener({ urls: [`valkey://127.0.0.1:${port}`], username: 'udp-director', passwordFile }) }
}

/** Commands that were called while the store was used, but for what tests ask for themselves. */
async function calledWhile (command: StoreServer['command'], use: () => Promise<unknown>): Promise<ReadonlySet<string>> {
  await command('CONFIG', 'RESETSTAT')
  await use()
  const called = new Set<string>()
  // The first heart beat comes after a while.
  await until(async () => {
    for (const name of calledOf(await command('INFO', 'commandstats'))) called.add(name)
    return called.has('ping')
  })
  called.delete('config|resetstat')
  return called
}

void t.test('a director does all its work as the user of the file, and with every command that it may call', withServer, async t => {
  const { open, command } = await serve(t)
  const called = await calledWhile(command, async () => {
    await conforms(t, open)
    await openUp(t, open, 'a')
  })
  t.strictSame([...called].filter(name => !allowed.includes(name)).sort(), [], 'nothing is called that is not allowed')
  t.strictSame(allowed.filter(name => !called.has(name)).sort(), [], 'nothing is allowed that is not called')
  t.strictSame(await command('ACL', 'LOG'), [], 'nothing was refused')
})

void t.test('on a cluster with what the page says besides', withServer, async t => {
  const { command, port, passwordFile } = await serve(t, onClusters, ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'])
  await command('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
  await until(async () => String(await command('CLUSTER', 'INFO')).includes('cluster_state:ok'))
  await command('ACL', 'LOG', 'RESET')
  const open = opener({ urls: [`valkey://127.0.0.1:${port}`], mode: 'cluster', username: 'udp-director', passwordFile })
  const called = await calledWhile(command, async () => {
    await conforms(t, open)
    await openUp(t, open, 'a')
  })
  const more = onClusters.split(' ').map(right => right.slice(1))
  t.strictSame(more.filter(name => !called.has(name)), [], 'all of it is needed')
})
