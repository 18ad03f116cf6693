// Credentials from every place they may come from, and what happens when they change or were never good.
import { execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { KubeApi } from '#testkit/kube-api/start-kube-api.js'
import type { Credentials } from '../../../../src/inventory/kubernetes/api/access.js'
import { openCredentials, type CredentialsOptions } from '../../../../src/inventory/kubernetes/api/credentials.js'
import { openRig, server } from '../rig.js'

async function folder (t: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'kubeconfig-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  return path
}

function withEnvironment (t: Test, variables: Readonly<Record<string, string | undefined>>): void {
  const before = { ...process.env }
  t.teardown(() => { process.env = before })
  process.env = { ...before, ...variables }
  for (const [name, value] of Object.entries(variables)) if (value === undefined) Reflect.deleteProperty(process.env, name)
}

function opened (options: CredentialsOptions): Credentials {
  const credentials = openCredentials(options)
  if (!credentials.ok) throw new Error(credentials.error)
  return credentials.value
}

const kubeconfig = (fields: { cluster?: string, user?: string, context?: string } = {}): string => `
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {${fields.cluster ?? 'server: "https://10.0.0.1:6443/k8s/clusters/x/"'}}}]
users: [{name: u, user: {${fields.user ?? 'token: secret'}}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: ${fields.context ?? 'x'}
`

void t.test('a kubeconfig says where the server is and who we are', async t => {
  const path = await folder(t)
  const file = join(path, 'config')
  const accessFor = async (text: string): Promise<unknown> => {
    await writeFile(file, text)
    return await opened({ kubeconfig: file }).access()
  }
  const tls = { rejectUnauthorized: true }
  t.strictSame(await accessFor(kubeconfig()), {
    ok: true,
    value: { baseUrl: 'https://10.0.0.1:6443/k8s/clusters/x', tls, headers: { Authorization: 'Bearer secret' } }
  })
  t.match(await accessFor(kubeconfig({ user: 'username: me, password: "pass:word"' })), { value: { headers: { Authorization: `Basic ${Buffer.from('me:pass:word').toString('base64')}` } } })
  t.strictSame(await accessFor(kubeconfig({ cluster: 'server: "http://127.0.0.1:8001"' })), {
    ok: true, value: { baseUrl: 'http://127.0.0.1:8001', tls: { rejectUnauthorized: false }, headers: { Authorization: 'Bearer secret' } }
  }, 'kubectl proxy')
  await writeFile(join(path, 'ca.pem'), 'CA')
  const pair = `client-certificate-data: ${Buffer.from('CERT').toString('base64')}, client-key-data: ${Buffer.from('KEY').toString('base64')}`
  t.match(await accessFor(kubeconfig({ cluster: 'server: "https://h", certificate-authority: ca.pem, tls-server-name: kube', user: pair })), {
    value: { tls: { ca: 'CA', cert: 'CERT', key: 'KEY', servername: 'kube', rejectUnauthorized: true } }
  })
  t.match(await accessFor(kubeconfig({ cluster: 'server: "https://h", proxy-url: "http://p:3128"' })), { value: { baseUrl: 'https://h', proxyUrl: 'http://p:3128' } })
  t.match(await accessFor(kubeconfig({ cluster: 'server: "https://h", insecure-skip-tls-verify: true' })), { value: { tls: { rejectUnauthorized: false } } })
})

void t.test('a tokenFile of a kubeconfig is read, beside that kubeconfig, whoever found it', async t => {
  const path = await folder(t)
  await mkdir(join(path, '.kube'))
  const [file, other] = [join(path, '.kube/config'), join(path, 'other')]
  await writeFile(file, kubeconfig({ user: 'tokenFile: token, token: of-old' }))
  await writeFile(other, 'apiVersion: v1\nkind: Config\nusers: [{name: somebody, user: {tokenFile: nothing}}]\n')
  const bearer = (token: string): unknown => ({ ok: true, value: { headers: { Authorization: `Bearer ${token}` } } })
  const places: Record<string, { options: CredentialsOptions, variables: Readonly<Record<string, string | undefined>> }> = {
    named: { options: { kubeconfig: file }, variables: {} },
    KUBECONFIG: { options: { root: path }, variables: { KUBECONFIG: `${other}:${file}` } },
    'the home directory': { options: { root: path }, variables: { KUBECONFIG: undefined, HOME: path } }
  }
  for (const [place, { options, variables }] of Object.entries(places)) {
    await t.test(place, async t => {
      withEnvironment(t, variables)
      await writeFile(join(path, '.kube/token'), 'first\n')
      const credentials = opened(options)
      t.match(await credentials.access(), bearer('first'))
      const mark = await credentials.mark!()
      await writeFile(join(path, '.kube/token'), 'the second\n')
      t.not(await credentials.mark!(), mark, 'a change of the token is noticed')
      credentials.refresh()
      t.match(await credentials.access(), bearer('the second'))
      const before = await credentials.mark!()
      await writeFile(file, kubeconfig({ user: 'tokenFile: token' }))
      t.not(await credentials.mark!(), before, 'so is one of the kubeconfig')
    })
  }
  for (const nothing of ['', ' \n']) {
    await writeFile(join(path, '.kube/token'), nothing)
    t.match(await opened({ kubeconfig: file }).access(), { ok: false, error: /^The Kubernetes credentials cannot be read: there is no token in .*token\.$/ })
  }
  await rm(join(path, '.kube/token'))
  t.match(await opened({ kubeconfig: file }).access(), { ok: false, error: /^The Kubernetes credentials cannot be read: ENOENT/ })
  await writeFile(file, kubeconfig({ user: 'tokenFile: [1]' }))
  t.match(await opened({ kubeconfig: file }).access(), { ok: true })
})

void t.test('what is wrong with a kubeconfig is said in one sentence', async t => {
  const path = await folder(t)
  const file = join(path, 'config')
  const table: ReadonlyArray<readonly [text: string, message: RegExp]> = [
    ['a: [', /^The kubeconfig .*config cannot be used: /],
    ['', /^The kubeconfig .*config cannot be used: it is not a kubeconfig\.$/],
    ['just text', /^The kubeconfig .*config (?:cannot be used|has no context)/],
    [kubeconfig({ context: 'none' }), /^The kubeconfig .*config has no context none\.$/],
    [kubeconfig().replace('cluster: c,', 'cluster: d,'), /^The kubeconfig .*config has no cluster d, which its context names\.$/],
    [kubeconfig({ cluster: 'server: "10.0.0.1:6443"' }), /^The kubeconfig .*config has a server that is not an http or https URL: 10\.0\.0\.1:6443\.$/],
    [kubeconfig({ cluster: 'server: "https://h", proxy-url: "socks5://me:secret@p"' }), /^The kubeconfig .*config has a proxy-url that is not an http or https URL\.$/],
    [kubeconfig({ cluster: 'server: "https://h", proxy-url: "p:3128"' }), /^The kubeconfig .*config has a proxy-url that is not an http or https URL\.$/]
  ]
  for (const [text, message] of table) {
    await writeFile(file, text)
    t.match(openCredentials({ kubeconfig: file }), { ok: false, error: message }, text)
  }
  await writeFile(join(path, 'windows'), Buffer.from(`\ufeff${kubeconfig()}`, 'utf16le'))
  t.match(openCredentials({ kubeconfig: join(path, 'windows') }), { ok: false, error: /windows cannot be used: it is UTF-16 text; save it as UTF-8\.$/ })
  t.match(openCredentials({ kubeconfig: path }), { ok: false, error: / cannot be used: it is a directory; give the kubeconfig in it\.$/ })
  if (process.platform !== 'win32') {
    execFileSync('mkfifo', [join(path, 'pipe')])
    t.match(openCredentials({ kubeconfig: join(path, 'pipe') }), { ok: false, error: /pipe cannot be used: it is not a regular file, but a pipe/ })
  }
  t.match(openCredentials({ kubeconfig: join(path, 'none') }), { ok: false, error: /none cannot be used: .*ENOENT/ })
  await writeFile(file, kubeconfig({ cluster: 'server: "https://h", certificate-authority: none.pem' }))
  t.match(await opened({ kubeconfig: file }).access(), { ok: false, error: /^The Kubernetes credentials cannot be read: .*none\.pem/ })
})

void t.test('a plugin is asked for a token, and blamed if it has none', async t => {
  const path = await folder(t)
  const plugin = join(path, 'plugin')
  const file = join(path, 'config')
  await writeFile(file, kubeconfig({ user: `exec: {apiVersion: client.authentication.k8s.io/v1, command: "${plugin}"}` }))
  const becomes = async (script: string): Promise<void> => {
    await writeFile(plugin, `#!/bin/sh\n${script}\n`)
    await chmod(plugin, 0o755)
  }
  await becomes('echo \'{"status": {"token": "first", "expirationTimestamp": "2999-01-01T00:00:00Z"}}\'')
  const credentials = opened({ kubeconfig: file })
  t.match(await credentials.access(), { value: { headers: { Authorization: 'Bearer first' } } })
  await becomes('echo \'{"status": {"token": "second"}}\'')
  t.match(await credentials.access(), { value: { headers: { Authorization: 'Bearer first' } } }, 'until it expires')
  credentials.refresh()
  t.match(await credentials.access(), { value: { headers: { Authorization: 'Bearer second' } } }, 'or is refused')
  await becomes('echo "log in first" >&2; exit 1')
  credentials.refresh()
  t.match(await credentials.access(), { ok: false, error: 'The Kubernetes credentials cannot be read: log in first' })
  await rm(plugin)
  t.match(await credentials.access(), { ok: false, error: /ENOENT/ })
})

void t.test('without a file: the service account, KUBECONFIG, the home directory, in this order', async t => {
  const path = await folder(t)
  const account = join(path, 'var/run/secrets/kubernetes.io/serviceaccount')
  const home = join(path, 'home')
  await mkdir(join(home, '.kube'), { recursive: true })
  withEnvironment(t, { KUBECONFIG: undefined, HOME: home, KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' })
  t.match(openCredentials({ root: path }), { ok: false, error: /^There are no Kubernetes credentials: .*Set inventory\.kubeconfig/ })
  await writeFile(join(home, '.kube', 'config'), kubeconfig({ user: 'token: home' }))
  t.match(await opened({ root: path }).access(), { value: { headers: { Authorization: 'Bearer home' } } })
  process.env['KUBECONFIG'] = join(path, 'named')
  await writeFile(join(path, 'named'), kubeconfig({ user: 'token: named' }))
  t.match(await opened({ root: path }).access(), { value: { headers: { Authorization: 'Bearer named' } } })
  await mkdir(account, { recursive: true })
  await writeFile(join(account, 'token'), 'pod\n')
  await writeFile(join(account, 'ca.crt'), 'CA')
  const credentials = opened({ root: path })
  t.strictSame(await credentials.access(), {
    ok: true, value: { baseUrl: 'https://[fd00::1]:443', tls: { ca: 'CA', rejectUnauthorized: true }, headers: { Authorization: 'Bearer pod' } }
  })
  await writeFile(join(account, 'token'), 'rotated\n')
  credentials.refresh()
  t.match(await credentials.access(), { value: { headers: { Authorization: 'Bearer rotated' } } })
  process.env['KUBERNETES_SERVICE_HOST'] = ''
  t.match(openCredentials({ root: path }), { ok: false, error: /KUBERNETES_SERVICE_HOST/ })
})

// Credentials from a file that the test rewrites.
async function fileFor (t: Test): Promise<{ credentials: (api: KubeApi) => Credentials, write: (text: string) => Promise<void>, prepare: (api: KubeApi) => Promise<void> }> {
  const file = join(await folder(t), 'config')
  const write = async (text: string): Promise<void> => { await writeFile(file, text) }
  return { write, credentials: () => opened({ kubeconfig: file }), prepare: async api => { await write(api.kubeconfig()) } }
}

void t.test('a rotated token is read again, and nothing is listed anew', async t => {
  const { write, ...options } = await fileFor(t)
  const rig = await openRig(t, { ...options, tokens: ['old'] })
  await rig.api.watching()
  // A watch that ended at once would be a failure, and those wait while the file changes.
  await rig.pass(1500)
  rig.api.setTokens('new')
  await write(rig.api.kubeconfig())
  rig.api.load([server('a')])
  rig.api.watches()[0]!.cut('end')
  await rig.converged()
  await rig.until(() => rig.api.watches().length === 1)
  t.strictSame(rig.requests().map(({ verb, status }) => `${verb} ${String(status)}`), ['list 200', 'watch 200', 'watch 401', 'watch 200'])
})

void t.test('a token that stays refused is tried again at the pace of failures, with one clear message', async t => {
  const { write, ...options } = await fileFor(t)
  const rig = await openRig(t, { ...options, tokens: ['old'] })
  await rig.api.watching()
  rig.api.setTokens('new')
  rig.api.watches()[0]!.cut('end')
  await rig.pass(60_000)
  t.ok(rig.requests().length <= 11, `${rig.requests().length} requests in a minute`)
  t.match(rig.inventory.status().faults, [/^The Kubernetes API does not accept the credentials, the token may have expired: 401/])
  t.equal(rig.logged.filter(line => line.startsWith('warn')).length, 1)
  const tries = rig.requests().length
  await rig.until(() => rig.requests().length > tries, 70_000)
  const rotatedMs = rig.clock.now()
  await write(rig.api.kubeconfig())
  rig.api.load([server('a')])
  await rig.converged(30_000)
  t.ok(rig.clock.now() - rotatedMs <= 3000, `a file that changed is tried at once, not at the pace of failures: after ${rig.clock.now() - rotatedMs} ms`)
})

void t.test('files that change are noticed: rewritten, replaced behind a link, removed', async t => {
  const path = await folder(t)
  const account = join(path, 'var/run/secrets/kubernetes.io/serviceaccount')
  withEnvironment(t, { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: '443' })
  // As the kubelet does it: the files are links into a folder that is a link.
  for (const version of ['1', '2']) {
    await mkdir(join(account, version), { recursive: true })
    for (const file of ['token', 'ca.crt']) await writeFile(join(account, version, file), `${file} ${version}`)
  }
  await symlink('1', join(account, '..data'))
  for (const file of ['token', 'ca.crt']) await symlink(join('..data', file), join(account, file))
  const credentials = opened({ root: path })
  const marks = [await credentials.mark!()]
  t.equal(await credentials.mark!(), marks[0])
  await symlink('2', join(account, '..next'))
  await rename(join(account, '..next'), join(account, '..data'))
  marks.push(await credentials.mark!())
  credentials.refresh()
  t.match(await credentials.access(), { value: { headers: { Authorization: 'Bearer token 2' } } })
  t.equal(await credentials.mark!(), marks[1], 'to read them changes nothing')
  await writeFile(join(account, '2', 'ca.crt'), 'another authority')
  marks.push(await credentials.mark!())
  await rm(join(account, 'token'))
  marks.push(await credentials.mark!())
  t.equal(new Set(marks).size, 4, marks.join('; '))
})

// A proxy that opens tunnels to whatever it is asked for, while it may.
async function startProxy (t: Test): Promise<{ url: string, asked: string[], refuse: (status: number | undefined) => void }> {
  const asked: string[] = []
  let refusal: number | undefined
  const server = createServer().on('connect', (request, client) => {
    asked.push(`${request.url ?? ''} ${request.headers['proxy-authorization'] ?? ''}`)
    if (refusal !== undefined) {
      client.end(`HTTP/1.1 ${refusal} No\r\n\r\n`)
      return
    }
    const { hostname, port } = new URL(`http://${request.url ?? ''}`)
    const upstream = connect(Number(port), hostname, () => { client.write('HTTP/1.1 200 Connection Established\r\n\r\n') })
    for (const [socket, other] of [[client, upstream], [upstream, client]] as const) socket.on('error', () => { other.destroy() }).pipe(other)
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close() })
  return { url: `http://me:pass%3Aword@127.0.0.1:${(server.address() as AddressInfo).port}`, asked, refuse: status => { refusal = status } }
}

void t.test('a proxy-url is the way to the server', async t => {
  for (const tls of [true, false]) {
    const proxy = await startProxy(t)
    const { write, ...options } = await fileFor(t)
    const prepare = async (api: KubeApi): Promise<void> => { await write(api.kubeconfig().replace(/^( *)server:/m, `$1proxy-url: ${proxy.url}\n$1server:`)) }
    const rig = await openRig(t, { ...options, tls, tokens: ['secret'], prepare })
    rig.api.load([server('a')])
    await rig.converged()
    const tunnel = `${new URL(rig.api.url).host} Basic ${Buffer.from('me:pass:word').toString('base64')}`
    t.ok(proxy.asked.length > 0 && proxy.asked.every(asked => asked === tunnel), proxy.asked.join(', '))
    t.notOk('proxy-authorization' in rig.requests()[0]!.headers, 'what is for the proxy stays there')
    proxy.refuse(407)
    rig.api.drop('fin')
    // The connection that ends is the first fault, if it is told before the next one is tried.
    await rig.until(() => rig.inventory.status().faults.some(fault => fault.startsWith('The Kubernetes API cannot be reached: Proxy response (407)')), 30_000)
    proxy.refuse(undefined)
    rig.api.load([server('b')])
    await rig.converged(60_000)
    await rig.inventory.close()
  }
})

void t.test('certificates', async t => {
  await t.test('the server\'s is checked, ours is shown', async t => {
    const { write, ...options } = await fileFor(t)
    const rig = await openRig(t, { ...options, tls: true, tokens: ['x'], prepare: async api => { await write(api.kubeconfig({ clientCertificate: true })) } })
    rig.api.load([server('a')])
    await rig.converged()
    t.notOk('authorization' in rig.requests()[0]!.headers)
  })

  await t.test('a rotated authority is read again', async t => {
    const { write, ...options } = await fileFor(t)
    const rig = await openRig(t, { ...options, tls: true })
    await rig.api.watching()
    rig.api.renewCertificate({ newAuthority: true })
    rig.api.drop('fin')
    await rig.until(() => rig.inventory.status().faults.some(fault => fault.startsWith('The certificate of the Kubernetes API is not trusted: ')))
    await write(rig.api.kubeconfig())
    rig.api.load([server('a')])
    await rig.converged(10_000)
    t.equal(rig.requests().filter(({ verb }) => verb === 'list').length, 1)
  })

  await t.test('another\'s name or one that expired is never accepted', async t => {
    for (const wish of [{ hosts: ['kubernetes.example'] }, { expired: true }]) {
      const { write, ...options } = await fileFor(t)
      const rig = await openRig(t, { ...options, tls: true, prepare: async api => { api.renewCertificate(wish); await write(api.kubeconfig()) } })
      await rig.pass(5000)
      t.equal(rig.requests().length, 0, 'the token was never sent')
      t.match(rig.inventory.status().faults, [/^The certificate of the Kubernetes API is not trusted: /])
      t.equal(rig.logged.length, 1)
      rig.api.renewCertificate()
      await rig.converged(10_000)
      await rig.inventory.close()
    }
  })
})
