// The users of the store in k8s/components/valkey: what a director may do there is what it does, no more and no less.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { openFolder } from '#testkit/folder.js'
import { forTest } from '#testkit/for-test.js'
import { until } from '#testkit/patience.js'
import { startServer, withServer } from '#testkit/store/store-server.js'
import { conforms, openUp } from '../conformance.js'
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

void t.test('a director does all its work as the user of the file, and with every command that it may call', withServer, async t => {
  const folder = await forTest(t, openFolder())
  // Somebody has to ask what was called.
  const users = folder.write('users.acl', written.replace(/^user default .*$/m, `user default on >${ADMIN} ~* &* +@all`).replace('PASSWORD', PASSWORD))
  const { port, command } = await startServer(t, { settings: ['--aclfile', users, '--maxmemory', '100mb', '--maxmemory-policy', 'noeviction'], password: ADMIN })
  await command('CONFIG', 'RESETSTAT')
  const password = folder.write('password', `${PASSWORD}\n`)
  const open = opener({ urls: [`valkey://127.0.0.1:${port}`], username: 'udp-director', passwordFile: password })
  await conforms(t, open)
  await openUp(t, open, 'a')
  const called = new Set<string>()
  // The first heart beat comes after a while.
  await until(async () => {
    for (const name of calledOf(await command('INFO', 'commandstats'))) called.add(name)
    return called.has('ping')
  })
  for (const own of ['config|resetstat', 'acl|whoami']) called.delete(own)
  t.strictSame([...called].filter(name => !allowed.includes(name)).sort(), [], 'nothing is called that is not allowed')
  t.strictSame(allowed.filter(name => !called.has(name)).sort(), [], 'nothing is allowed that is not called')
  t.match(await command('ACL', 'LOG'), [], 'nothing was refused')
})
