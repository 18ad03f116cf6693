// docs/config.md: every key, from the schema itself.
import type { TSchema } from '@sinclair/typebox'
import { rootAliases, statusQueryAliases, type Alias } from '#config/aliases.js'
import { environmentDefaults, logLevels, MAX_SOCKET_PATH_BYTES, NO_STATE, placeVariables, variables } from '#config/env.js'
import { AccessSchema, AuthSchema } from '#config/guard-schema.js'
import { ConfigSchema, DataPortSchema, InventorySchema, LimitsSchema, LoadBalancingSchema, PortMappingSchema, ResourceMappingSchema, SelectionSchema, StatusQuerySchema } from '#config/schema.js'
import { anchorOf, code, generatedNote, page, table } from './markdown.js'
import { isRequired, propertiesOf, rangeWords, typeWords } from './schema-words.js'

/** Small and complete; a test loads it. */
export const exampleConfig = `# A director that runs without a cluster: objects come from YAML files.
dataPorts:
  - {name: default, port: 7777}
inventory:
  provider: file
  path: ./inventory
resourceQueryMapping:
  gameserver:                      # what a query calls it
    group: agones.dev
    version: v1
    resource: gameservers
    addressPath: status.address    # where its address is …
    portName: default              # … and its port, by name
defaultEndpoint:                   # for clients that bring no token
  resourceType: gameserver
  namespace: game-servers
  labelSelector:
    agones.dev/fleet: lobby
  statusQuery:
    jsonPath: status.state
    expectedValues: [Ready]
tokenTtlSeconds: 30
`

/** Sections in reading order; a schema is recognised by its properties, which TypeBox keeps when it wraps one. */
const sections: ReadonlyArray<readonly [heading: string, schema: TSchema]> = [
  ['dataPorts[]', DataPortSchema],
  ['resourceQueryMapping.NAME', ResourceMappingSchema],
  ['resourceQueryMapping.NAME.ports[]', PortMappingSchema],
  ['defaultEndpoint', SelectionSchema],
  ['defaultEndpoint.statusQuery', StatusQuerySchema],
  ['inventory', InventorySchema],
  ['loadBalancing', LoadBalancingSchema],
  ['queryAccess and adminAccess', AccessSchema],
  ['queryAuth and adminAuth', AuthSchema],
  ['limits', LimitsSchema]
]

function nameOf (schema: TSchema): string | undefined {
  const heading = sections.find(([, { properties }]) => properties !== undefined && properties === schema['properties'])?.[0]
  return heading === undefined ? undefined : `[map](#${anchorOf(heading)})`
}

function defaultWords (schema: TSchema, key: string, property: TSchema): string {
  if (isRequired(schema, key)) return 'required'
  const fallback: unknown = property.default
  if (fallback === undefined || JSON.stringify(fallback) === '{}') return '–'
  return code(typeof fallback === 'string' ? fallback === '' ? '""' : fallback : JSON.stringify(fallback))
}

function keysTable (schema: TSchema): string {
  return table(['Key', 'Type', 'Default', 'Range', 'Description'], propertiesOf(schema).map(([key, property]) => [
    code(key), typeWords(property, nameOf), defaultWords(schema, key, property), rangeWords(property), property.description ?? ''
  ]))
}

function variablesTable (): string {
  return table(['Variable', 'Default', 'Description'], [
    [code(variables.configPath), code(environmentDefaults.configPath), 'The configuration file.'],
    [code(variables.logLevel), code(environmentDefaults.logLevel), `How much is logged: ${logLevels.map(code).join(', ')}.`],
    [code(variables.socketPath), code(environmentDefaults.socketPath), `The Unix socket between control and proxy; at most ${MAX_SOCKET_PATH_BYTES} bytes.`],
    [code(variables.statePath), code(environmentDefaults.statePath ?? ''), `What the names of the state logs begin with, in which a proxy that is restarted finds its sessions and tokens; by default they are beside the socket. ${code(NO_STATE)} keeps none.`],
    [code(placeVariables.advertise), '–', `Control: the address that clients send to, in place of the one that ${code('advertise')} names.`],
    [code(placeVariables.podName), '–', `Control: the pod's name, where ${code('advertise')} asks for it.`],
    [code(placeVariables.podNamespace), 'that of the service account', `Control: the namespace of ${code('advertise.service')}.`],
    [code(placeVariables.nodeName), '–', `Control: the Node of ${code('advertise.node')}.`]
  ])
}

function aliasRow ({ alias, key, inner }: Alias): string[] {
  return [code(alias), `${code(key)}${inner.length === 0 ? '' : ' with one entry'}`]
}

function aliasesTable (): string {
  return table(['Read too', 'Same as'], [
    ...rootAliases.map(aliasRow),
    ...statusQueryAliases.map(alias => aliasRow({ ...alias, alias: `statusQuery.${alias.alias}`, key: `statusQuery.${alias.key}` }))
  ])
}

export function configPage (): string {
  return page(
    '# Configuration',
    generatedNote,
    'One YAML file, read once at the start by control and proxy alike. Keys that are not known are faults, so that a misspelling cannot pass for a default; all faults are reported at once, each with its place, and the process ends with exit code 78. Editors that understand JSON Schema can use [config.schema.json](config.schema.json).',
    `\`\`\`yaml\n${exampleConfig}\`\`\``,
    '## Environment',
    variablesTable(),
    '## Keys',
    keysTable(ConfigSchema),
    ...sections.flatMap(([heading, schema]) => [`### ${heading}`, ...schema.description === undefined ? [] : [schema.description], keysTable(schema)]),
    '## Other spellings',
    'These are read as well. Giving both spellings is a fault unless they say the same.',
    aliasesTable(),
    '## What must fit together',
    [
      '- A mapping has exactly one complete form: `addressPath` with exactly one of `portName`, `portPath` and `ports`, or `serviceSelectorLabel` with `serviceTargetPortName`.',
      '- `defaultEndpoint.resourceType` is a key of `resourceQueryMapping`; `ports[].name` is the name of a data port.',
      '- Names and numbers of data ports differ from each other, and `queryPort` from `adminPort`; 0 may be given more than once.',
      '- JSONPaths parse; `allowedTargets`, `trustedProxies`, `allow` and `deny` are CIDR blocks; `controlPacketMagicBytes` is 1 to 32 bytes in hexadecimal.',
      '- `inventory.path` is required by provider `file`. Provider `kubernetes` needs a mapping, and `namespaces` or a `defaultEndpoint`; the namespace `*` stands for all.',
      '- `keysFile` by `queryAuth` or `adminAuth` of type `keys`; `issuer`, `audience` and exactly one of `jwksUrl` and `jwksFile` by type `jwt`.',
      '- `currentLabel` and `maxLabel` by balancing type `labelArithmetic`.'
    ].join('\n')
  )
}
