// Files that are something else than a configuration, and files that are hostile: one fault each, in plain words.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { stringify } from 'yaml'
import { loadConfig, MAX_CONFIG_BYTES, parseConfig } from '../../src/load/load-config.js'

const configuration = 'queryPort: 9000\ninventory: {provider: file, path: inventory}\n'

function faultsOf (text: string): string[] {
  const loaded = parseConfig(text, '/etc/udp-director/config.yaml')
  return loaded.ok ? [] : loaded.error.map(({ path, message }) => `${path}: ${message}`)
}

const metadata = { name: 'director', namespace: 'games' }

void t.test('what holds a configuration, or belongs beside it, is named', async t => {
  const table: ReadonlyArray<readonly [description: string, document: unknown, fault: string]> = [
    ['a ConfigMap', { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'notes.txt': 'hello', 'config.yaml': configuration } },
      'is a whole Kubernetes ConfigMap ("director"); the configuration is the text under data["config.yaml"]. Give that as a file: ' +
      "kubectl get configmap director --namespace games --output jsonpath='{.data.config\\.yaml}' > config.yaml. In a pod, mount the ConfigMap as a volume."],
    ['a ConfigMap with another key', { kind: 'ConfigMap', apiVersion: 'v1', data: { settings: configuration } },
      'is a whole Kubernetes ConfigMap; the configuration is the text under data["settings"]. Give that as a file: ' +
      "kubectl get configmap NAME --output jsonpath='{.data.settings}' > config.yaml. In a pod, mount the ConfigMap as a volume."],
    ['a ConfigMap without data', { kind: 'ConfigMap', apiVersion: 'v1', metadata, data: null },
      'is a whole Kubernetes ConfigMap ("director"); the configuration is what such an object has under a key of its data, and this one has no data.'],
    ['a Secret', { kind: 'Secret', apiVersion: 'v1', metadata: { name: 'director' }, data: { 'config.yaml': Buffer.from(configuration).toString('base64') } },
      'is a whole Kubernetes Secret ("director"); the configuration is the text under data["config.yaml"], decoded from base64. Give that as a file: ' +
      "kubectl get secret director --output jsonpath='{.data.config\\.yaml}' | base64 --decode > config.yaml. In a pod, mount the Secret as a volume."],
    ['a Secret in plain text', { kind: 'Secret', apiVersion: 'v1', stringData: { 'config.yaml': configuration } },
      'is a whole Kubernetes Secret; the configuration is the text under stringData["config.yaml"]. Give that as a file: ' +
      "kubectl get secret NAME --output jsonpath='{.data.config\\.yaml}' | base64 --decode > config.yaml. In a pod, mount the Secret as a volume."],
    ['a List', { apiVersion: 'v1', kind: 'List', items: [1, 2] },
      'is a Kubernetes List of 2 objects, not a configuration. Objects of an inventory belong in a file of their own, which inventory.path names.'],
    ['a Deployment', { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: {} }, 'is a Kubernetes Deployment ("director"), not a configuration.'],
    ['an object of an inventory', { apiVersion: 'agones.dev/v1', kind: 'GameServer', metadata: { name: 'arena-1' } },
      'is a Kubernetes GameServer ("arena-1"), as an inventory holds it, not a configuration. It belongs in a file that inventory.path names.'],
    ['a Kustomization', { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', resources: ['a'] },
      'is a Kustomization of kustomize, not a configuration. "kubectl kustomize" makes a ConfigMap of it, under a key of which the configuration is.'],
    ['values of Helm', { image: { tag: '1' }, replicaCount: 1, config: { queryPort: 9000, adminPort: 9090 } },
      'has a configuration under "config", and is none itself (it looks like the values of a Helm chart): give what stands under that key as a file of its own.'],
    ['values of Helm with text', { image: {}, replicaCount: 1, configYaml: configuration },
      'has a configuration under "configYaml", and is none itself (it looks like the values of a Helm chart): give what stands under that key as a file of its own.'],
    ['values of Helm without one', { image: {}, replicaCount: 1, service: {} },
      'is not a configuration: none of its 3 keys is one of ours (the first are "image", "replicaCount", "service"). It looks like the values of a Helm chart.'],
    ['a JSON Schema', { $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object', properties: { queryPort: {} } },
      'is a JSON Schema, which says how a configuration may look, not a configuration.'],
    ['a file of something else', { services: {}, volumes: {}, networks: {} },
      'is not a configuration: none of its 3 keys is one of ours (the first are "services", "volumes", "networks").']
  ]
  for (const [description, document, fault] of table) {
    t.strictSame(faultsOf(stringify(document)), [`the document: ${fault}`], description)
    t.strictSame(faultsOf(JSON.stringify(document)), [`the document: ${fault}`], `${description}, as JSON`)
  }
  t.strictSame(faultsOf('kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\n---\nkind: Service\napiVersion: v1\n'),
    ['the document: must be one: the file has 2 YAML documents, with "---" between them, of which the first is a Kubernetes ConfigMap ("a").'])
})

void t.test('a configuration with faults is told them key by key', async t => {
  t.strictSame(faultsOf(`${configuration}kind: ConfigMap\n`), ['kind: is not a known key.'])
  t.strictSame(faultsOf('quaryPort: 1\nadmin_prot: 2\nfoo: 3\n').length, 5, 'also if no key is right but one is near')
  t.strictSame(faultsOf('services: {}\n').length, 3, 'and if there are few keys')
  t.ok(parseConfig(configuration, 'config.yaml').ok)
})

void t.test('hostile documents are one fault', async t => {
  const tooDeep = 'the document: is nested deeper than 50 levels.'
  const table: ReadonlyArray<readonly [description: string, text: string, fault: RegExp | string]> = [
    ['a deep list', `a: ${'['.repeat(20_000)}${']'.repeat(20_000)}`, tooDeep],
    ['deep maps', `${'{a: '.repeat(8000)}${'}'.repeat(8000)}`, tooDeep],
    ['deep blocks', Array.from({ length: 300 }, (_, level) => `${' '.repeat(level)}a:`).join('\n'), tooDeep],
    ['deeper than is needed', `limits: ${'{a: '.repeat(60)}1${'}'.repeat(60)}`, tooDeep],
    ['deep JSON', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, tooDeep],
    ['brackets without end', '['.repeat(300), /^line 1, column 301: a \] is missing/],
    ['aliases that multiply', `a0: &a0 [x]\n${Array.from({ length: 12 }, (_, n) => `a${n + 1}: &a${n + 1} [${Array.from({ length: 10 }, () => `*a${n}`).join(', ')}]\n`).join('')}`, /^the document: cannot be resolved: Excessive alias count/],
    ['an alias in itself', 'limits: &a {b: *a}', tooDeep],
    ['names of prototypes', `${configuration}"__proto__": {queryPort: 1}`, '__proto__: is not a known key.'],
    ['a number no computer holds', `${configuration}adminPort: 1e999`, 'adminPort: must be a whole number from 0 to 65535, not Infinity.']
  ]
  for (const [description, text, fault] of table) {
    const faults = faultsOf(text)
    t.match(faults, [fault], description)
    t.equal(faults.length, 1, description)
  }
  t.equal(({} as Record<string, unknown>)['queryPort'], undefined)
})

void t.test('hostile files are one fault', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'config-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'config.yaml')
  const table: ReadonlyArray<readonly [bytes: Buffer, fault: string]> = [
    [Buffer.from(`\ufeff${configuration}`, 'utf16le'), 'is UTF-16 text; save it as UTF-8.'],
    [Buffer.from(`\ufeff${configuration}`, 'utf16le').swap16(), 'is UTF-16 text; save it as UTF-8.'],
    [Buffer.from(configuration, 'utf16le'), 'has a NUL byte in line 1; it is not UTF-8 text.'],
    [Buffer.from('a: 1\nb: \0'), 'has a NUL byte in line 2; it is not UTF-8 text.'],
    [Buffer.from('a: caf\xe9', 'latin1'), 'is not UTF-8 text.'],
    [Buffer.from([0x1f, 0x8b, 8, 1, 2]), 'is not UTF-8 text.'],
    [Buffer.alloc(MAX_CONFIG_BYTES + 1, '#'), `has ${MAX_CONFIG_BYTES + 1} bytes; a configuration has ${MAX_CONFIG_BYTES} at most.`]
  ]
  for (const [bytes, message] of table) {
    await writeFile(file, bytes)
    t.strictSame(loadConfig(file), { ok: false, error: [{ path: 'the file', message }] }, message)
  }
  t.strictSame(loadConfig(folder), { ok: false, error: [{ path: 'the file', message: 'is a directory; give the configuration in it.' }] })
  t.strictSame(loadConfig('/dev/null'), { ok: false, error: [{ path: 'the file', message: 'is not a regular file, but a pipe, a socket or a device.' }] })
  await writeFile(file, `\ufeff${configuration}`)
  t.ok(loadConfig(file).ok, 'a byte order mark of UTF-8 does no harm')
})
