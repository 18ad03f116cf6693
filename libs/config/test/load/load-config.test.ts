import { join, resolve } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { stringify } from 'yaml'
import { formatFaults } from '../../src/fault.js'
import { loadConfig, parseConfig, type LoadedConfig } from '../../src/load/load-config.js'
import { ConfigSchema, DEFAULT_BLOCKED_SOURCE_PORTS } from '../../src/schema.js'

const fixtures = resolve('libs/config/test/fixtures')

const inventory = 'inventory: {provider: file, path: inventory}\n'

function faultsOf (text: string): string[] {
  const loaded = parseConfig(text, '/etc/udp-director/config.yaml')
  return loaded.ok ? [] : loaded.error.map(({ path, message }) => `${path}: ${message}`)
}

function fixture (name: string): LoadedConfig {
  const loaded = loadConfig(join(fixtures, name))
  if (!loaded.ok) throw new Error(formatFaults(name, loaded.error))
  return loaded.value
}

void t.test('reference configurations load', async t => {
  const { config, file } = fixture('single-port.yaml')
  t.equal(file, join(fixtures, 'single-port.yaml'))
  t.strictSame(config.dataPorts, [{ name: 'default', port: 7777, protocol: 'udp' }])
  t.equal(config.tokenTtlSeconds, 45)
  t.strictSame(config.defaultEndpoint?.statusQuery?.expectedValues, ['Ready', 'Allocated'])
  t.equal(config.inventory.path, join(fixtures, 'inventory'), 'relative to the file')

  const several = fixture('multi-port.yaml').config
  t.strictSame(several.dataPorts.map(({ name, port, protocol }) => [name, port, protocol]), [['game', 7777, 'udp'], ['voice', 7778, 'udp']])
  t.equal(several.tokenTtlSeconds, 60, 'the other spelling')
  t.strictSame(several.defaultEndpoint?.statusQuery, { jsonPath: '{.status.phase}', expectedValues: ['Running'] }, 'and no trace of it')
  t.equal(several.inventory.path, '/var/lib/inventory')
  t.match(several.resourceQueryMapping['dns'], { group: '', version: 'v1', serviceSelectorLabel: 'k8s-app' })

  t.strictSame(fixture('label-arithmetic.yaml').config.loadBalancing, { type: 'labelArithmetic', currentLabel: 'currentPlayers', maxLabel: 'maxPlayers', overlap: 2 })
})

const openAuth = { type: 'none', algorithms: ['RS256', 'ES256', 'EdDSA'], clockToleranceSeconds: 10 }

void t.test('what is not given has its default', async t => {
  const loaded = parseConfig(inventory, 'config.yaml')
  t.ok(loaded.ok)
  if (!loaded.ok) return
  const { limits, inventory: source, ...rest } = loaded.value.config
  t.strictSame(rest, {
    queryPort: 9000,
    adminPort: 9090,
    dataPorts: [{ name: 'default', port: 7777, protocol: 'udp' }],
    bindAddress: '::',
    tokenTtlSeconds: 30,
    sessionTimeoutSeconds: 300,
    controlPacketMagicBytes: 'FFFFFFFF5245534554',
    resourceQueryMapping: {},
    loadBalancing: { type: 'first', overlap: 0 },
    clients: { deny: [] },
    blockedSourcePorts: DEFAULT_BLOCKED_SOURCE_PORTS,
    onInvalidToken: 'default',
    onTargetGone: 'keep',
    refreshOn: 'client',
    exposeTarget: false,
    bindClientIp: false,
    queryAccess: {},
    adminAccess: {},
    queryAuth: openAuth,
    adminAuth: openAuth,
    trustedProxies: [],
    forwardedHeader: 'x-forwarded-for',
    adminHosts: [],
    drainTimeoutSeconds: 300,
    engine: 'auto',
    workers: 'auto',
    dscp: 0
  })
  t.equal(source.provider, 'file')
  for (const [name, { default: fallback }] of Object.entries(ConfigSchema.properties.limits.properties)) {
    t.equal(limits[name as keyof typeof limits], fallback, name)
  }
})

void t.test('what was loaded cannot be changed, and one load does not show in the next', async t => {
  const { config } = fixture('multi-port.yaml')
  t.throws(() => { config.queryPort = 1 }, TypeError)
  t.throws(() => { config.resourceQueryMapping['pod']!.ports!.pop() }, TypeError)
  t.throws(() => { config.limits.maxTokens = 1 }, TypeError)
  t.equal(fixture('single-port.yaml').config.resourceQueryMapping['pod'], undefined)
})

const direct = 'resource: pods, addressPath: status.podIP'

/** Everything that can be wrong, and the exact words for it. */
const golden: ReadonlyArray<readonly [yaml: string, ...faults: string[]]> = [
  ['a: [', 'line 1, column 5: a ] is missing before this.'],
  ['queryPort: 1\nqueryPort: 2', 'line 2, column 1: a key that is there already.'],
  ['a: 1\na: 2\na: 3\nb: !secret x', 'line 2, column 1: a key that is there already.', 'line 3, column 1: a key that is there already.', 'line 4, column 4: Unresolved tag: !secret.'],
  ['queryPort:9000\nadminPort: 9090\ndataPorts:\n  - {name: game, port: 7777}', 'line 1, column 1: does not fit what is before it: look at the indentation, and for a colon that is missing.'],
  ['namespaces: [a\nqueryPort: 9000\nlimits: {maxTokens: 1}', 'line 2, column 1: a ] is missing before this.'],
  ['limits:\n\tmaxTokens: 1\n\tmaxSessions: 1', 'line 2, column 1: is indented with a tab: YAML takes spaces only.'],
  ['inventory: provider: file', 'line 1, column 12: starts a map or a list where a value is expected: look at the indentation, and put text with a colon in quotes.'],
  ['a: 1\na: 2\nqueryPort', 'line 2, column 1: a key that is there already.', 'line 3, column 1: a colon and a value are missing after this.'],
  ['a: "b\nc: 1', 'line 2, column 5: a closing " is missing before this.'],
  ['limits:\n  a: 1\n b: 2\n c: 3', 'line 3, column 1: is not indented like the lines it belongs to.'],
  ['a: 1\n---\nb: 2', 'the document: must be one: the file has 2 YAML documents, with "---" between them.'],
  ['a: !secret x', 'line 1, column 4: Unresolved tag: !secret.'],
  ['a: *nowhere', 'the document: cannot be resolved: Unresolved alias (the anchor must be set before the alias): nowhere.'],
  ['- a', 'the document: must be a map of keys, not a list.'],
  ['just text', 'the document: must be a map of keys, not "just text".'],
  ['', 'resourceQueryMapping: is required by provider kubernetes: it says which resources to watch.', 'namespaces: is required by provider kubernetes, unless defaultEndpoint names one: it says where to watch.'],
  ['quaryPort: 1', 'quaryPort: is not a known key. Did you mean queryPort?'],
  ['TokenTTLSecond: 1', 'TokenTTLSecond: is not a known key. Did you mean tokenTtlSeconds?'],
  ['somethingElseEntirely: 1', 'somethingElseEntirely: is not a known key.'],
  ['limits: {maxSesions: 1}', 'limits.maxSesions: is not a known key. Did you mean maxSessions?'],
  ['queryPort: abc', 'queryPort: must be a whole number from 0 to 65535, not "abc".'],
  ['queryPort: 65536', 'queryPort: must be a whole number from 0 to 65535, not 65536.'],
  ['queryPort: -1', 'queryPort: must be a whole number from 0 to 65535, not -1.'],
  ['queryPort: 1.5', 'queryPort: must be a whole number from 0 to 65535, not 1.5.'],
  ['queryPort:', 'queryPort: has no value: give one, or remove the key.'],
  ['queryPort: [1]', 'queryPort: must be a whole number from 0 to 65535, not a list.'],
  ['queryPort: 9090', 'adminPort: is the same as queryPort (9090): the two APIs need a port each.'],
  ['queryPort: 0\nadminPort: 0'],
  ['tokenTtlSeconds: 0', 'tokenTtlSeconds: must be a whole number from 1 to 3600, not 0.'],
  ['tokenTTLSeconds: 0', 'tokenTTLSeconds: must be a whole number from 1 to 3600, not 0.'],
  ['tokenTTLSeconds: 20\ntokenTtlSeconds: 30', 'tokenTTLSeconds: contradicts tokenTtlSeconds: give one of the two.'],
  ['tokenTTLSeconds: 20\ntokenTtlSeconds: 20'],
  ['exposeTarget: maybe', 'exposeTarget: must be true or false, not "maybe".'],
  ['refreshOn: clients', 'refreshOn: must be one of client, both, not "clients". Did you mean client?'],
  ['loadBalancing: {type: best}', 'loadBalancing.type: must be one of first, leastSessions, labelArithmetic, roundRobin, random, not "best".'],
  ['loadBalancing: {type: labelArithmetic}', 'loadBalancing.currentLabel: is required by type labelArithmetic.', 'loadBalancing.maxLabel: is required by type labelArithmetic.'],
  ['workers: 0', 'workers: must be one of auto, a whole number from 1 to 64, not 0.'],
  ['workers: all', 'workers: must be one of auto, a whole number from 1 to 64, not "all".'],
  ['dscp: 64', 'dscp: must be one of keep, a whole number from 0 to 63, not 64.'],
  ['dscp: EF', 'dscp: must be one of keep, a whole number from 0 to 63, not "EF".'],
  ['engine: dgram\ndscp: keep', 'dscp: needs the engine batch: dgram cannot write it.'],
  ['engine: dgram\ndscp: 0'],
  ['engine: auto\ndscp: 46'],
  ['queryAccess: {allow: [10.0.0.0/8, "2001:db8::/32"], deny: []}'],
  ['queryAccess: {allow: [10.0.0.0/8, 10.0.0.0/33], deny: [localhost]}', 'queryAccess.allow[1]: must be a CIDR block such as 10.0.0.0/8 or 2001:db8::/32, not "10.0.0.0/33".', 'queryAccess.deny[0]: must be a CIDR block such as 10.0.0.0/8 or 2001:db8::/32, not "localhost".'],
  ['adminAccess: {allow: [x]}', 'adminAccess.allow[0]: must be a CIDR block such as 10.0.0.0/8 or 2001:db8::/32, not "x".'],
  ['adminAccess: {deny: 10.0.0.0/8}', 'adminAccess.deny: must be a list, not "10.0.0.0/8".'],
  ['trustedProxies: [10.0.0.0/8, loopback]', 'trustedProxies[1]: must be a CIDR block such as 10.0.0.0/8 or 2001:db8::/32, not "loopback".'],
  ['queryAuth: {type: password}', 'queryAuth.type: must be one of none, keys, jwt, not "password".'],
  ['queryAuth: {type: keys}', 'queryAuth.keysFile: is required by type keys.'],
  ['queryAuth: {type: keys, keysFile: keys, issuer: x}', 'queryAuth.issuer: is for type jwt only; type keys has no use for it.'],
  ['adminAuth: {keysFile: keys}', 'adminAuth.keysFile: is for type keys only; type none has no use for it.'],
  ['adminAuth: {type: jwt, keysFile: keys}', 'adminAuth.keysFile: is for type keys only; type jwt has no use for it.', 'adminAuth.issuer: is required by type jwt.', 'adminAuth.audience: is required by type jwt.', 'adminAuth.jwksUrl: is required by type jwt, or jwksFile: exactly one of the two.'],
  ['adminAuth: {type: jwt, issuer: a, audience: b, jwksUrl: "https://a", jwksFile: c}', 'adminAuth.jwksUrl: is required by type jwt, or jwksFile: exactly one of the two.'],
  ['adminAuth: {type: jwt, issuer: a, audience: b, jwksUrl: "file:///etc/passwd"}', 'adminAuth.jwksUrl: must be an http or https URL.'],
  ['adminAuth: {type: jwt, issuer: a, audience: b, jwksUrl: keys}', 'adminAuth.jwksUrl: must be an http or https URL.'],
  ['adminAuth: {type: jwt, issuer: a, audience: b, jwksUrl: "https://a", algorithms: [HS256]}', 'adminAuth.algorithms[0]: must be one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, not "HS256". Did you mean RS256?'],
  ['adminAuth: {type: jwt, issuer: a, audience: b, jwksFile: jwks.json, algorithms: []}', 'adminAuth.algorithms: must not be empty.'],
  ['adminAuth: {type: jwt, issuer: a, audience: b, jwksFile: jwks.json}'],
  ['bindAddress: localhost', 'bindAddress: must be an IPv4 or IPv6 address, not "localhost".'],
  ['bindAddress: "127.1"', 'bindAddress: must be an IPv4 or IPv6 address, not "127.1".'],
  ['bindAddress: 127.0.0.1'],
  ['bindAddress: [127.0.0.1, "::1"]\ndataBindAddress: "::"'],
  ['bindAddress: 5', 'bindAddress: must be text or a list, not 5.'],
  ['bindAddress: []', 'bindAddress: must be text or a list, not a list.'],
  ['bindAddress: [127.0.0.1, localhost]', 'bindAddress[1]: must be an IPv4 or IPv6 address, not "localhost".'],
  ['dataBindAddress: [127.0.0.1, "::ffff:127.0.0.1", "::1", "0:0::1"]', 'dataBindAddress[1]: is given twice: 127.0.0.1.', 'dataBindAddress[3]: is given twice: ::1.'],
  ['dataBindAddress: ["::", 127.0.0.1]', 'dataBindAddress[0]: is every address already: :: stands alone.'],
  ['dataBindAddress: [0.0.0.0, 127.0.0.1]', 'dataBindAddress[0]: is every IPv4 address already: no other one stands beside 0.0.0.0.'],
  ['dataBindAddress: [0.0.0.0, "::1"]'],
  ['bindAddress: fe80::1%lo', 'bindAddress: must be an address without a zone, not "fe80::1%lo": data ports cannot have one.'],
  ['bindAddress: fe80::1%lo\ndataBindAddress: 127.0.0.1'],
  ['controlPacketMagicBytes: FFGG', 'controlPacketMagicBytes: must be hexadecimal: digits and the letters a to f.'],
  ['controlPacketMagicBytes: FFF', 'controlPacketMagicBytes: must have an even number of hexadecimal digits, two for each byte.'],
  ['controlPacketMagicBytes: ""', 'controlPacketMagicBytes: must be at least one byte: without it every datagram would be a control packet.'],
  [`controlPacketMagicBytes: ${'F'.repeat(66)}`, 'controlPacketMagicBytes: must be at most 32 bytes.'],
  ['controlPacketMagicBytes: 12345678', 'controlPacketMagicBytes: must be text, not 12345678. Put it in quotes: "12345678".'],
  ['dataPort: none', 'dataPort: must be a whole number from 0 to 65535, not "none".'],
  ['dataPort: 1\ndataPorts: [{name: game, port: 2}]', 'dataPort: contradicts dataPorts: give one of the two.'],
  ['dataPorts: []', 'dataPorts: must not be empty.'],
  ['dataPorts: [{name: game}]', 'dataPorts[0].port: is required.'],
  ['dataPorts: [{name: Game, port: 1}]', 'dataPorts[0].name: must be text that matches ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$, not "Game".'],
  ['dataPorts: [{name: game, port: 1, protocol: tcp}]', 'dataPorts[0].protocol: must be udp, and nothing else, not "tcp".'],
  ['dataPorts: [{name: a, port: 1}, {name: a, port: 1}]', 'dataPorts[1].name: is given twice: a.', 'dataPorts[1].port: is given twice: 1.'],
  ['dataPorts: [{name: a, port: 0}, {name: b, port: 0}]'],
  ['clients: {allow: [10.0.0.0/8, nowhere], deny: ["::/129"]}', 'clients.allow[1]: must be a CIDR block such as 10.0.0.0/8 or 2001:db8::/32, not "nowhere".', 'clients.deny[0]: must be a CIDR block such as 10.0.0.0/8 or 2001:db8::/32, not "::/129".'],
  ['blockedSourcePorts: [1900, "0-1023", "9-7", "65536", "0-65536", "-1", "a"]', ...[[2, '9-7'], [3, '65536'], [4, '0-65536'], [5, '-1'], [6, 'a']].map(([index, text]) => `blockedSourcePorts[${index}]: must be a port such as "1900" or a range such as "0-1023", up to 65535, not "${text}".`)],
  ['allowedTargets: [10.0.0.0/8, 10.0.0.1, "::/129"]', 'allowedTargets[1]: must be a CIDR block such as 10.0.0.0/8 or 2001:db8::/32, not "10.0.0.1".', 'allowedTargets[2]: must be a CIDR block such as 10.0.0.0/8 or 2001:db8::/32, not "::/129".'],
  ['limits: {maxDatagramBytes: 70000}', 'limits.maxDatagramBytes: must be a whole number from 512 to 65507, not 70000.'],
  ['limits: 5', 'limits: must be a map, not 5.'],
  ['namespaces: game-servers', 'namespaces: must be a list, not "game-servers".'],
  [`dataPorts: [${Array.from({ length: 17 }, (_, index) => `{name: p${index}, port: ${1000 + index}}`).join(', ')}]`, 'dataPorts: must have at most 16 entries.'],
  [`resourceQueryMapping: {pod: {resource: pods, addressPath: ${'a'.repeat(257)}, portName: b}}`, 'resourceQueryMapping.pod.addressPath: must be at most 256 characters long.'],
  ['namespaces: [""]', 'namespaces[0]: must not be empty.'],
  ['defaultEndpoint: {namespace: a}', 'defaultEndpoint.resourceType: is required.'],
  ['defaultEndpoint: {namespace: a, resourceType: pod}', 'defaultEndpoint.resourceType: names no key of resourceQueryMapping, which is empty.'],
  [`defaultEndpoint: {namespace: a, resourceType: pods}\nresourceQueryMapping: {pod: {${direct}, portName: a}}`, 'defaultEndpoint.resourceType: names no key of resourceQueryMapping, which has pod. Did you mean pod?'],
  [`defaultEndpoint: {namespace: a, resourceType: pod, labelSelector: {agones.dev/fleet: 7}}\nresourceQueryMapping: {pod: {${direct}, portName: a}}`, 'defaultEndpoint.labelSelector["agones.dev/fleet"]: must be text, not 7. Put it in quotes: "7".'],
  [`defaultEndpoint: {namespace: a, resourceType: pod, statusQuery: {jsonPath: "a[", expectedValue: b}}\nresourceQueryMapping: {pod: {${direct}, portName: a}}`, 'defaultEndpoint.statusQuery.jsonPath: is not a JSONPath: expected an index, a quoted name, \'*\' or \'?\', found the end, at position 2.'],
  [`defaultEndpoint: {namespace: a, resourceType: pod, statusQuery: {jsonPath: a, expectedValue: true}}\nresourceQueryMapping: {pod: {${direct}, portName: a}}`, 'defaultEndpoint.statusQuery.expectedValue: must be text, not true. Put it in quotes: "true".'],
  [`defaultEndpoint: {namespace: a, resourceType: pod, statusQuery: {jsonPath: a, expectedValue: b, expectedValues: [c]}}\nresourceQueryMapping: {pod: {${direct}, portName: a}}`, 'defaultEndpoint.statusQuery.expectedValue: contradicts expectedValues: give one of the two.'],
  [`defaultEndpoint: {namespace: a, resourceType: pod, statusQuery: {jsonPath: a, expectdValue: b}}\nresourceQueryMapping: {pod: {${direct}, portName: a}}`, 'defaultEndpoint.statusQuery.expectedValues: is required.', 'defaultEndpoint.statusQuery.expectdValue: is not a known key. Did you mean expectedValue?'],
  [`resourceQueryMapping: {"a b": {${direct}, portName: a}}`, 'resourceQueryMapping["a b"]: is not a possible name: names match ^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$.'],
  ['resourceQueryMapping: [a]', 'resourceQueryMapping: must be a map, not a list.'],
  ['resourceQueryMapping: []', 'resourceQueryMapping: must be a map, not a list.'],
  ['limits: []', 'limits: must be a map, not a list.'],
  ['dataPorts: {}', 'dataPorts: must be a list, not a map.'],
  ['resourceQueryMapping: {pod: {resource: pods}}', 'resourceQueryMapping.pod: does not say where its objects are reached: give addressPath with portName, portPath or ports, or serviceSelectorLabel with serviceTargetPortName.'],
  ['resourceQueryMapping: {pod: {addressPath: a, portName: b}}', 'resourceQueryMapping.pod.resource: is required.'],
  ['resourceQueryMapping: {pod: {resource: pods, adressPath: a}}', 'resourceQueryMapping.pod.adressPath: is not a known key. Did you mean addressPath?'],
  ['resourceQueryMapping: {pod: {resource: pods, portName: b}}', 'resourceQueryMapping.pod.addressPath: is required: it says where the address is.'],
  [`resourceQueryMapping: {pod: {${direct}}}`, 'resourceQueryMapping.pod: does not say where the port is: give portName, portPath or ports.'],
  [`resourceQueryMapping: {pod: {${direct}, portName: a, portPath: b}}`, 'resourceQueryMapping.pod: says twice where the port is: keep one of portName, portPath.'],
  [`resourceQueryMapping: {pod: {${direct}, serviceSelectorLabel: a, serviceTargetPortName: b}}`, 'resourceQueryMapping.pod: mixes two forms: keep either addressPath or serviceSelectorLabel, serviceTargetPortName.'],
  ['resourceQueryMapping: {pod: {resource: pods, serviceSelectorLabel: a}}', 'resourceQueryMapping.pod.serviceTargetPortName: is required beside serviceSelectorLabel.'],
  [`resourceQueryMapping: {pod: {${direct}, ports: [{name: defalt, portName: a}]}}`, 'resourceQueryMapping.pod.ports[0].name: names no data port: there is default. Did you mean default?'],
  [`resourceQueryMapping: {pod: {${direct}, ports: [{name: default, portName: a}, {name: default, portName: b}]}}`, 'resourceQueryMapping.pod.ports[1].name: is given twice: default can lead to one port only.'],
  [`resourceQueryMapping: {pod: {${direct}, ports: [{name: default}]}}`, 'resourceQueryMapping.pod.ports[0]: needs exactly one of portName and portPath.'],
  [`resourceQueryMapping: {pod: {${direct}, ports: [{name: default, portPath: "a..b"}]}}`, 'resourceQueryMapping.pod.ports[0].portPath: is not a JSONPath: expected a name, found \'.\', at position 2.'],
  [`resourceQueryMapping: {pod: {${direct}, portName: a, indexPaths: ["a", "b["]}}`, 'resourceQueryMapping.pod.indexPaths[1]: is not a JSONPath: expected an index, a quoted name, \'*\' or \'?\', found the end, at position 2.'],
  ['resourceQueryMapping: {"a b": {ports: null}, "c d": {ports: null}}', ...['a b', 'c d'].map(name => `resourceQueryMapping["${name}"]: is not a possible name: names match ^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$.`)],
  ['advertise: {address: 203.0.113.7, node: ExternalIP}', 'advertise: says more than once what the address is: keep one of address, node.'],
  ['advertise: {address: 0.0.0.0}', 'advertise.address: must be the address of one host, not "0.0.0.0".'],
  ['advertise: {address: "[2001:db8::7]"}', 'advertise.address: must be an IP address or a host name, not "[2001:db8::7]".'],
  ['advertise: {address: 203.0.113}', 'advertise.address: must be an IP address or a host name, not "203.0.113".'],
  ['advertise: {address: "203.0.113.7:7777"}', 'advertise.address: must be an IP address or a host name, not "203.0.113.7:7777".'],
  ['advertise: {address: "$POD_NAME.udp.example.com", ports: {default: 31777}, queryUrl: "http://$ADDRESS:9000"}'],
  ['dataPorts: [{name: game, port: 1}, {name: voice, port: 2}]\nadvertise: {address: "2001:db8::7", ports: {game: 31777, voice: 31777}}', 'advertise.ports.voice: is 31777 like another one: clients could not tell the data ports apart.'],
  ['advertise: {address: "2001:db8::7", ports: {defalt: 31777}}', 'advertise.ports.defalt: names no data port: there is default. Did you mean default?'],
  ['advertise: {address: 203.0.113.7, queryUrl: "203.0.113.7:9000"}', 'advertise.queryUrl: must be a URL with http:// or https://, not "203.0.113.7:9000".'],
  ['advertise: {node: externalIP}', 'advertise.node: must be one of ExternalIP, InternalIP, Hostname, ExternalDNS, InternalDNS, not "externalIP". Did you mean ExternalIP?'],
  ['advertise: {ports: {default: 31777}}'],
  ['inventory: {provider: file}', 'inventory.path: is required by provider file: a directory or a file of YAML or JSON objects.'],
  ['inventory: {provider: file, path: a, kubeconfig: b}', 'inventory.kubeconfig: is for provider kubernetes only; provider file has no use for it.'],
  [`inventory: {path: a}\nnamespaces: [a]\nresourceQueryMapping: {pod: {${direct}, portName: a}}`, 'inventory.path: is for provider file only; provider kubernetes has no use for it.'],
  [`inventory: {kubeconfig: a}\nnamespaces: [a]\nresourceQueryMapping: {pod: {${direct}, portName: a}}`]
]

void t.test('each fault in its exact words', async t => {
  for (const [yaml, ...faults] of golden) {
    const text = yaml === '' || /^(?:inventory|a: |- |just)/.test(yaml) ? yaml : `${inventory}${yaml}`
    const expected = text.startsWith(inventory) ? faults.map(fault => fault.replace(/^line (\d+)/, (_, line) => `line ${Number(line) + 1}`)) : faults
    t.strictSame(faultsOf(text), expected, yaml)
  }
})

void t.test('five faults are five lines', async t => {
  const loaded = parseConfig(`
queryPort: 70000
tokenTTLSeconds: 20
tokenTtlSeconds: 30
controlPacketMagicBytes: XYZ
resourceQueryMapping:
  gameserver:
    resource: gameservers
    addressPath: "status.[address"
    portName: default
logLevel: debug
inventory: {provider: file, path: inventory}
`, 'config.yaml')
  t.ok(!loaded.ok)
  if (loaded.ok) return
  t.equal(formatFaults('config.yaml', loaded.error), `config.yaml has 5 faults:
  tokenTTLSeconds: contradicts tokenTtlSeconds: give one of the two.
  logLevel: is not a known key.
  queryPort: must be a whole number from 0 to 65535, not 70000.
  controlPacketMagicBytes: must be hexadecimal: digits and the letters a to f.
  resourceQueryMapping.gameserver.addressPath: is not a JSONPath: expected a name, found '[', at position 7.`)
})

void t.test('a file that is not there, or is a directory', async t => {
  const missing = loadConfig(join(fixtures, 'missing.yaml'))
  t.strictSame(missing, { ok: false, error: [{ path: 'the file', message: 'cannot be read: ENOENT.' }] })
  t.strictSame(loadConfig(fixtures), { ok: false, error: [{ path: 'the file', message: 'is a directory; give the configuration in it.' }] })
  t.ok(!missing.ok && formatFaults('config.yaml', missing.error) === 'config.yaml has 1 fault:\n  the file: cannot be read: ENOENT.')
})

void t.test('whatever the file holds, the answer is a configuration or faults', async t => {
  const keys = fc.constantFrom(...Object.keys(ConfigSchema.properties), 'dataPort', 'tokenTTLSeconds', '__proto__', 'toString', 'a\nb')
  const { tree } = fc.letrec(tie => ({
    tree: fc.oneof({ maxDepth: 5 },
      fc.constantFrom<unknown>(null, true, 0, -1, 7777, Infinity, '', 'file', 'x', 'status.address', '10.0.0.0/8'),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('name', 'port', 'resource', 'addressPath', 'ports', 'path', 'provider', 'resourceType', 'statusQuery', 'jsonPath', 'pod', 'constructor', '__proto__', 'a\nb'), tie('tree'), { maxKeys: 4 }))
  }))
  const settles = (text: string): boolean => {
    const loaded = parseConfig(text, 'config.yaml')
    return loaded.ok ? Object.isFrozen(loaded.value.config) : loaded.error.length > 0 && loaded.error.every(({ path, message }) => path !== '' && /[.?!]$/.test(message))
  }
  fc.assert(fc.property(fc.dictionary(keys, tree, { maxKeys: 6 }), value => settles(stringify(value))), { numRuns: 500 })
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 80 }), settles), { numRuns: 500 })
  t.pass('1000 documents settled')
})
