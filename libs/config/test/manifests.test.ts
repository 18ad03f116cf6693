// The manifests in k8s/: each overlay's configuration is one that this loader takes, its Roles let the director read
// what that configuration names and nothing else, and what kubectl makes of it hangs together.
import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { parseAllDocuments } from 'yaml'
import { CLOSE_DEADLINE_MS } from '#telemetry/stop-on-signal.js'
import { formatFaults } from '../src/fault.js'
import { parseConfig } from '../src/load/load-config.js'
import type { Config } from '../src/schema.js'

const run = promisify(execFile)
const overlays = resolve('k8s/overlays')
const names = readdirSync(overlays).sort()

// Of each kind only what is looked at below.
interface Rule {
  readonly resourceNames?: readonly string[]
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
}

interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string, readonly namespace?: string, readonly labels?: Labels }
  readonly data?: Readonly<Record<string, string>>
  readonly rules?: readonly Rule[]
  readonly roleRef?: { readonly kind: string, readonly name: string }
  readonly subjects?: unknown
  readonly spec?: unknown
}

type Labels = Readonly<Record<string, string>>

interface PreStop {
  readonly sleep?: { readonly seconds: number }
  readonly exec?: { readonly command: readonly string[] }
}

interface Container {
  readonly name: string
  readonly ports: ReadonlyArray<{ readonly name: string, readonly containerPort: number, readonly protocol: string, readonly hostPort?: number }>
  readonly env: ReadonlyArray<{ readonly name: string, readonly valueFrom?: unknown }>
  readonly resources: { readonly requests: Readonly<Record<string, string>>, readonly limits: Readonly<Record<string, string>> }
  readonly startupProbe: { readonly exec?: { readonly command: readonly [string, ...string[]] } }
  readonly livenessProbe?: { readonly terminationGracePeriodSeconds?: number }
  readonly lifecycle?: { readonly preStop: PreStop }
  readonly securityContext: unknown
  readonly volumeMounts: ReadonlyArray<{ readonly name: string, readonly mountPath: string }>
}

interface Pod {
  readonly metadata: { readonly labels: Labels }
  readonly spec: {
    readonly terminationGracePeriodSeconds: number
    readonly initContainers?: readonly Container[]
    readonly containers: readonly Container[]
    readonly volumes: ReadonlyArray<{ readonly configMap?: { readonly name: string }, readonly secret?: { readonly secretName: string } }>
  }
}

interface Service {
  readonly type: string
  readonly selector: Labels
  readonly ports: ReadonlyArray<{ readonly name: string, readonly targetPort: string, readonly protocol: string }>
}

interface NetworkPolicy {
  readonly podSelector: { readonly matchLabels: Labels }
  readonly ingress?: ReadonlyArray<{ readonly ports: ReadonlyArray<{ readonly port: string, readonly protocol: string }> }>
}

function read (text: string): readonly Manifest[] {
  return parseAllDocuments(text).map(document => {
    if (document.errors.length > 0) throw new Error(document.errors.join('\n'))
    return document.toJS() as Manifest
  })
}

function configFrom (text: string): Config {
  const loaded = parseConfig(text, '/etc/udp-director/config.yaml')
  if (!loaded.ok) throw new Error(formatFaults('config.yaml', loaded.error))
  return loaded.value.config
}

/** What the director reads for `config`, as `namespace group/resource`; `*` for all namespaces. */
function neededFor ({ resourceQueryMapping, namespaces = [], defaultEndpoint, advertise = {} }: Config): readonly string[] {
  const own = advertise.service !== undefined ? ['udp-director /services'] : advertise.node !== undefined ? ['* /nodes'] : []
  const resources = Object.values(resourceQueryMapping).flatMap(({ group, resource, serviceSelectorLabel }) =>
    serviceSelectorLabel === undefined ? [`${group}/${resource}`] : [`${group}/${resource}`, '/services'])
  const scopes = namespaces.includes('*') ? ['*'] : [...namespaces, ...defaultEndpoint === undefined ? [] : [defaultEndpoint.namespace]]
  return [...new Set([...own, ...scopes.flatMap(scope => resources.map(resource => `${scope} ${resource}`))])].sort()
}

/** What the Roles that are bound to the director's account allow, in the same words. */
function allowedBy (manifests: readonly Manifest[]): readonly string[] {
  const account = [{ kind: 'ServiceAccount', name: 'udp-director', namespace: 'udp-director' }]
  const bindings = manifests.filter(({ kind, subjects }) => /^(?:Cluster)?RoleBinding$/.test(kind) && JSON.stringify(subjects) === JSON.stringify(account))
  return bindings.flatMap(({ roleRef, metadata }) => {
    const role = manifests.find(other => other.kind === roleRef?.kind && other.metadata.name === roleRef.name && other.metadata.namespace === metadata.namespace)
    return (role?.rules ?? []).flatMap(({ apiGroups, resources }) =>
      apiGroups.flatMap(group => resources.map(resource => `${metadata.namespace ?? '*'} ${group}/${resource}`)))
  }).sort()
}

const POD_NAME_LABEL = 'statefulset.kubernetes.io/pod-name'

const configOf = (name: string): string => readFileSync(join(overlays, name, 'config.yaml'), 'utf8')
const isAddOn = (name: string): boolean => !readdirSync(join(overlays, name)).includes('config.yaml')

void t.test('each overlay\'s configuration loads, and its Roles allow what it takes', async t => {
  const whole = names.filter(name => !isAddOn(name))
  t.strictSame(whole, ['advanced-annotations', 'agones', 'cluster-wide', 'dns', 'ntp', 'pods', 'pods-multiport', 'service-based'])
  for (const name of whole) {
    const config = configFrom(configOf(name))
    t.equal(config.inventory.provider, 'kubernetes', name)
    const manifests = read(readFileSync(join(overlays, name, 'rbac.yaml'), 'utf8'))
    t.strictSame(allowedBy(manifests), neededFor(config), `${name}: no more and no less`)
    for (const rule of manifests.flatMap(({ rules = [] }) => rules)) t.strictSame(rule.verbs, ['list', 'watch'], name)
  }
})

const isInCi = process.env['CI'] === 'true'
const isMissing = spawnSync('kubectl', ['version', '--client']).error !== undefined
const install = 'kubectl is missing: https://kubernetes.io/docs/tasks/tools/install-kubectl-linux/'

/** What kubectl makes of an overlay. */
class Rendered {
  readonly manifests: readonly Manifest[]

  constructor (name: string) {
    this.manifests = read(execFileSync('kubectl', ['kustomize', join(overlays, name)], { encoding: 'utf8' }))
  }

  /** The only one of that kind, or of that kind and name. */
  the (kind: string, name?: string): Manifest {
    const [found, ...others] = this.manifests.filter(({ kind: other, metadata }) => other === kind && (name ?? metadata.name) === metadata.name)
    if (found === undefined || others.length > 0) throw new Error(`there is not exactly one ${kind} ${name ?? ''}`)
    return found
  }

  all (kind: string): readonly Manifest[] {
    return this.manifests.filter(manifest => manifest.kind === kind)
  }

  /** The Deployment or StatefulSet of the director. */
  get workload (): Manifest {
    return this.the(this.all('Deployment').length === 0 ? 'StatefulSet' : 'Deployment', 'udp-director')
  }

  get pod (): Pod {
    return (this.workload.spec as { readonly template: Pod }).template
  }

  /** Those that lead to pods of the director, each to all of them or, in a StatefulSet, to one. */
  services (component?: string): readonly Manifest[] {
    const all = this.all('Service').filter(({ metadata: { labels = {} } }) => labels['app.kubernetes.io/name'] === 'udp-director')
    return all.filter(({ metadata: { labels = {} } }) => component === undefined || labels['app.kubernetes.io/component'] === component)
  }

  get configMap (): Manifest {
    const [found = this.the('ConfigMap')] = this.all('ConfigMap').filter(({ data }) => data?.['config.yaml'] !== undefined)
    return found
  }

  get config (): Config {
    return configFrom(this.configMap.data?.['config.yaml'] ?? '')
  }

  container (name: string): Container {
    const { initContainers = [], containers } = this.pod.spec
    const found = [...initContainers, ...containers].find(container => container.name === name)
    if (found === undefined) throw new Error(`there is no container ${name}`)
    return found
  }
}

interface Autoscaler {
  readonly scaleTargetRef: { readonly name: string }
  readonly minReplicas: number
  readonly maxReplicas: number
  readonly metrics: ReadonlyArray<{ readonly containerResource: { readonly name: string, readonly container: string } }>
  readonly behavior: { readonly scaleDown: { readonly policies: ReadonlyArray<{ readonly value: number, readonly periodSeconds: number }> } }
}

const portsOf = ({ ports }: Container): readonly number[] => ports.map(({ containerPort }) => containerPort).sort()
const hasApiAccess = ({ volumeMounts }: Container): boolean => volumeMounts.some(({ mountPath }) => mountPath.endsWith('/serviceaccount'))
const isAmong = (labels: Labels, wanted: Labels): boolean => Object.entries(wanted).every(([key, value]) => labels[key] === value)

/** How long a container waits before it gets SIGTERM. */
function preStopSeconds ({ lifecycle }: Container): number {
  const { sleep, exec } = lifecycle?.preStop ?? {}
  const timer = /setTimeout\(.*, (\d+)\)/.exec(exec?.command.at(-1) ?? '')?.[1]
  return sleep?.seconds ?? Number(timer ?? 0) / 1000
}

// A sidecar is asked to stop when the others have ended, ordinary containers side by side; the time of a drain counts once.
function stopSeconds (proxy: Container, control: Container, isSidecar: boolean, drainSeconds: number): number {
  const close = { control: CLOSE_DEADLINE_MS.control / 1000, proxy: CLOSE_DEADLINE_MS.proxy / 1000 }
  const first = preStopSeconds(control) + drainSeconds + close.control
  return isSidecar ? first + preStopSeconds(proxy) + close.proxy : Math.max(first, preStopSeconds(proxy) + drainSeconds + close.proxy)
}

function checkGracePeriod (t: Test, rendered: Rendered, { drainTimeoutSeconds }: Config): void {
  const { terminationGracePeriodSeconds: grace, initContainers } = rendered.pod.spec
  const [proxy, control] = [rendered.container('proxy'), rendered.container('control')]
  const needed = stopSeconds(proxy, control, initContainers !== undefined, drainTimeoutSeconds)
  t.ok(preStopSeconds(control) >= 5, 'Services learn of the end before the process does')
  t.ok(needed <= grace, `stopping takes up to ${needed} s, and the pod has ${grace} s`)
  t.ok((control.livenessProbe?.terminationGracePeriodSeconds ?? grace) <= 30, 'a control process that hangs is not waited for')
}

function checkOverlay (t: Test, rendered: Rendered): void {
  const { pod, manifests } = rendered
  const { configMap, config } = rendered
  t.strictSame(allowedBy(manifests), neededFor(config), 'reads what it must and nothing else')
  t.ok(pod.spec.volumes.some(volume => volume.configMap?.name === configMap.metadata.name), 'mounts that configuration')
  const [proxy, control] = [rendered.container('proxy'), rendered.container('control')]
  for (const { securityContext } of [proxy, control]) {
    t.strictSame(securityContext, { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } })
  }
  checkGracePeriod(t, rendered, config)
  t.strictSame([proxy, control].map(hasApiAccess), [false, true], 'only control can talk to the API')
  t.strictSame(portsOf(proxy), config.dataPorts.map(({ port }) => port).sort(), 'all data ports')
  t.strictSame(portsOf(control), [config.queryPort, config.adminPort].sort())
  const ports = [...proxy.ports, ...control.ports].map(({ name, protocol }) => `${name} ${protocol}`)
  for (const { metadata: { name, labels = {} }, spec } of rendered.services()) {
    const service = spec as Service
    const { [POD_NAME_LABEL]: only = name, ...selector } = service.selector
    t.ok(isAmong(pod.metadata.labels, selector) && only === name, `${name} finds the pod`)
    for (const { targetPort, protocol } of service.ports) t.ok(ports.includes(`${targetPort} ${protocol}`), `${name} finds ${targetPort}`)
    const isForClients = labels['app.kubernetes.io/component'] === 'data'
    t.match(service, isForClients ? { type: 'LoadBalancer', externalTrafficPolicy: 'Local' } : { type: 'ClusterIP' }, `${name} is where it should be`)
    if (isForClients) t.strictSame(service.ports.map(port => port.targetPort).sort(), proxy.ports.map(({ name }) => name).sort())
  }
  const isOnHosts = proxy.ports.every(({ hostPort, containerPort }) => hostPort === containerPort)
  t.equal(rendered.services('data').length > 0, !isOnHosts, 'clients come by Services, or by the nodes')
  for (const { metadata: { name }, spec } of rendered.all('NetworkPolicy')) if (name !== 'udp-director-store') checkPolicy(t, name, spec as NetworkPolicy, pod, ports)
}

function checkPolicy (t: Test, name: string, { podSelector, ingress }: NetworkPolicy, pod: Pod, ports: readonly string[]): void {
  t.ok(isAmong(pod.metadata.labels, podSelector.matchLabels), `policy ${name} is about the pod`)
  if (ingress === undefined) return
  const open = ingress.flatMap(rule => rule.ports.map(({ port, protocol }) => `${port} ${protocol}`))
  t.strictSame(open.sort(), [...ports].sort(), `policy ${name} is about each of its ports`)
}

void t.test('what kubectl renders', { skip: isMissing && !isInCi ? install : false }, async t => {
  if (isMissing) {
    t.fail(install)
    return
  }
  for (const name of names) {
    await t.test(name, async t => {
      const rendered = new Rendered(name)
      checkOverlay(t, rendered)
      const isSidecar = rendered.pod.spec.initContainers?.length === 1
      t.equal(isSidecar, name !== 'plain-containers', 'the proxy is a sidecar where there are any')
      t.equal(rendered.all('NetworkPolicy').length, ({ cilium: 0, shared: 3, valkey: 4 } as Readonly<Record<string, number>>)[name] ?? 2)
      t.equal(rendered.all('CiliumNetworkPolicy').length, name === 'cilium' ? 1 : 0)
    })
  }
  await t.test('the overlays of several replicas have the configuration of agones, and say what makes them several', async t => {
    const config = (name: string): Config => new Rendered(name).config
    const { advertise: _, sharedState: __, ...agones } = config('agones')
    for (const name of ['addressed', 'host-port', 'shared']) {
      const { advertise, sharedState, ...others } = config(name)
      t.strictSame(others, agones, name)
      t.strictSame([advertise === undefined, sharedState === undefined], [name === 'shared', name !== 'shared'], name)
    }
    t.strictSame(config('valkey'), config('shared'))
  })
  await t.test('addressed: each pod has a Service of its name, and may read that and no other', async t => {
    const rendered = new Rendered('addressed')
    const { replicas, podManagementPolicy } = rendered.workload.spec as { replicas: number, podManagementPolicy: string }
    const pods = Array.from({ length: replicas }, (_, index) => `udp-director-${index}`)
    t.ok(replicas > 1)
    t.equal(podManagementPolicy, 'Parallel', 'no pod waits for the address of another')
    t.equal(rendered.config.advertise?.service, '$POD_NAME')
    t.strictSame(rendered.services('data').map(({ metadata: { name } }) => name).sort(), pods)
    for (const { metadata: { name }, spec } of rendered.services('data')) t.equal((spec as Service).selector[POD_NAME_LABEL], name)
    t.match(rendered.the('Role', 'udp-director-advertise').rules, [{ resourceNames: pods, verbs: ['get'] }])
    t.match(rendered.container('control').env.find(({ name }) => name === 'POD_NAME'), { valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } })
  })
  await t.test('host-port: a pod for each node, whose address it may read', async t => {
    const rendered = new Rendered('host-port')
    t.match(rendered.workload.spec, { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } } }, 'two of a node would want the same port')
    t.strictSame(rendered.container('proxy').ports.map(({ hostPort }) => hostPort), rendered.config.dataPorts.map(({ port }) => port))
    t.match(rendered.the('ClusterRole').rules, [{ resources: ['nodes'], verbs: ['get'] }])
    t.match(rendered.container('control').env.find(({ name }) => name === 'NODE_NAME'), { valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } })
    t.equal(rendered.the('Namespace').metadata.labels?.['pod-security.kubernetes.io/enforce'], 'privileged', 'no other level allows host ports')
    t.equal(new Rendered('agones').the('Namespace').metadata.labels?.['pod-security.kubernetes.io/enforce'], 'restricted')
  })
  await t.test('shared: the autoscaler has the number of pods, and takes them away no quicker than they drain', async t => {
    const rendered = new Rendered('shared')
    const { config } = rendered
    t.notMatch(rendered.workload.spec, { replicas: Number })
    t.match(rendered.workload.spec, { strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } })
    const { scaleTargetRef, minReplicas, maxReplicas, metrics, behavior } = rendered.the('HorizontalPodAutoscaler').spec as Autoscaler
    t.strictSame(scaleTargetRef, { apiVersion: 'apps/v1', kind: rendered.workload.kind, name: rendered.workload.metadata.name })
    for (const { containerResource: { name, container } } of metrics) t.ok(rendered.container(container).resources.requests[name] !== undefined, 'it is measured against a request')
    for (const { periodSeconds, value } of behavior.scaleDown.policies) t.ok(value === 1 && periodSeconds >= config.drainTimeoutSeconds)
    const [, yaml = ''] = /^```yaml\n(apiVersion: keda[\s\S]*?)^```$/m.exec(readFileSync('docs/kubernetes.md', 'utf8')) ?? []
    const [keda] = read(yaml)
    t.match(keda?.spec, { scaleTargetRef: { name: scaleTargetRef.name }, minReplicaCount: minReplicas, maxReplicaCount: maxReplicas, advanced: { horizontalPodAutoscalerConfig: { behavior: { scaleDown: behavior.scaleDown } } } }, 'KEDA does as it does')
    t.ok((rendered.the('PodDisruptionBudget').spec as { maxUnavailable: number }).maxUnavailable < minReplicas, 'the budget leaves some')
    const { passwordFile = '', urls: [url = ''] } = config.sharedState!
    const mounted = (name: string): boolean => rendered.container(name).volumeMounts.some(({ mountPath }) => mountPath === dirname(passwordFile))
    t.strictSame([mounted('control'), mounted('proxy')], [true, false], 'control alone knows the password')
    t.match(rendered.the('NetworkPolicy', 'udp-director-to-store').spec, { egress: [{ ports: [{ port: Number(new URL(url).port), protocol: 'TCP' }] }] })
  })
  await t.test('valkey: the store is where the directors look, for their user, and refuses what does not fit', async t => {
    const rendered = new Rendered('valkey')
    const { urls: [url = ''], username, prefix } = rendered.config.sharedState!
    const { template } = rendered.the('StatefulSet').spec as { template: Pod }
    const [store] = template.spec.containers
    const service = rendered.the('Service', new URL(url).hostname).spec as Service
    t.ok(isAmong(template.metadata.labels, service.selector))
    t.match(service.ports, [{ port: Number(new URL(url).port), targetPort: store?.ports[0]?.name }])
    t.match(rendered.the('NetworkPolicy', 'udp-director-to-store').spec, { egress: [{ to: [{ podSelector: { matchLabels: service.selector } }] }] })
    t.match(rendered.the('NetworkPolicy', 'udp-director-store').spec, { podSelector: { matchLabels: service.selector }, ingress: [{ from: [{ podSelector: { matchLabels: rendered.pod.metadata.labels } }], ports: [{ port: 'store' }] }] })
    const args = (store as unknown as { args: readonly string[] }).args
    const argument = (name: string): string | undefined => args[args.indexOf(name) + 1]
    t.equal(argument('--maxmemory-policy'), 'noeviction')
    t.ok(parseInt(argument('--maxmemory') ?? '', 10) <= 0.8 * parseInt(store?.resources.limits['memory'] ?? '', 10), 'with room for what is not data')
    const users = readFileSync(resolve('k8s/components/valkey/users.acl'), 'utf8').trimEnd().split('\n')
    t.strictSame(users.map(line => line.split(' ').slice(0, 3).join(' ')), ['user default off', `user ${username ?? ''} on`, 'user probe on'])
    t.match(users[1], ` ~${prefix}1:* resetchannels &${prefix}1:* `, 'its keys and channels and no others')
  })
  await t.test('the keys are mounted where the configuration looks for them, and for control alone', async t => {
    const rendered = new Rendered('keys')
    const { queryAuth } = configFrom(rendered.the('ConfigMap').data?.['config.yaml'] ?? '')
    const mounts = (name: string): readonly string[] => rendered.container(name).volumeMounts.map(({ mountPath }) => mountPath).filter(path => path === dirname(queryAuth.keysFile ?? ''))
    t.strictSame([mounts('control'), mounts('proxy')], [['/etc/udp-director-keys'], []])
    t.match(rendered.pod.spec.volumes.find(({ secret }) => secret !== undefined), { name: 'keys', secret: { secretName: 'udp-director-keys' } })
    t.equal(rendered.all('Secret').length, 0, 'the Secret is the operator\'s to make')
  })
  await t.test('the ServiceMonitor finds the Service of the metrics', async t => {
    const rendered = new Rendered('prometheus')
    const { selector, endpoints } = rendered.the('ServiceMonitor').spec as { selector: { matchLabels: Labels }, endpoints: ReadonlyArray<{ port: string }> }
    const [service, ...others] = rendered.all('Service').filter(({ metadata }) => isAmong(metadata.labels ?? {}, selector.matchLabels))
    t.strictSame([service?.metadata.name, others], ['udp-director-metrics', []])
    t.strictSame(endpoints.map(({ port }) => port), (service?.spec as Service).ports.map(({ name }) => name))
  })
  await t.test('the alert rules and the dashboard come along, the latter where Grafana\'s sidecar looks', async t => {
    const rendered = new Rendered('prometheus')
    t.match(rendered.the('PrometheusRule'), { metadata: { namespace: 'udp-director' }, spec: { groups: Array } })
    const { metadata: { labels }, data } = rendered.the('ConfigMap', 'udp-director-dashboard')
    t.equal(labels?.['grafana_dashboard'], '1')
    t.same(JSON.parse(data?.['udp-director.json'] ?? ''), JSON.parse(readFileSync(resolve('k8s/components/prometheus/dashboard.json'), 'utf8')))
  })
})

void t.test('the proxy\'s start-up probe succeeds when somebody listens on the socket, and only then', async t => {
  const deployment = read(readFileSync(join(overlays, '../base/deployment.yaml'), 'utf8'))[0]?.spec as { readonly template: Pod }
  const [file = '', ...args] = deployment.template.spec.initContainers?.[0]?.startupProbe.exec?.command ?? []
  // Not t.testdir(), whose path is longer than that of a socket may be.
  const folder = await mkdtemp(join(tmpdir(), 'probe-'))
  t.teardown(async () => { await rm(folder, { recursive: true }) })
  const socket = join(folder, 'proxy.sock')
  const probe = async (): Promise<unknown> => await run(file, args, { env: { ...process.env, UDP_DIRECTOR_SOCKET: socket } })
  await t.rejects(probe(), { code: 1 })
  const server = createServer(connection => { connection.destroy() })
  await new Promise<void>(resolve => { server.listen(socket, resolve) })
  t.teardown(() => { server.close() })
  await t.resolves(probe())
})
