// docs/rpc.md: the calls between control and proxy, from the contract.
import type { TSchema } from '@sinclair/typebox'
import { eventKinds, EVENTS_PATH, EventSchema, MAX_RPC_BODY_BYTES, MAX_TOKENS_PER_CALL, rpcCalls, type RpcCall, SessionSchema, TargetSchema, TokenGrantSchema, TokenRejectionSchema } from '#rpc/contract.js'
import { AnswerSchema, BindingSchema, ElsewhereSchema } from '#rpc/replica-schemas.js'
import { code, generatedNote, page, table } from './markdown.js'
import { isRequired, propertiesOf, rangeWords, typeWords } from './schema-words.js'

/** Shapes that several calls share. */
const shapes: ReadonlyArray<readonly [name: string, schema: TSchema]> = [
  ['Target', TargetSchema],
  ['TokenGrant', TokenGrantSchema],
  ['TokenRejection', TokenRejectionSchema],
  ['Session', SessionSchema],
  ['Answer', AnswerSchema],
  ['Binding', BindingSchema],
  ['Elsewhere', ElsewhereSchema]
]

function nameOf (schema: TSchema): string | undefined {
  const name = shapes.find(([, shape]) => shape['properties'] === schema['properties'] && schema['properties'] !== undefined)?.[0]
  return name === undefined ? undefined : `[${name}](#${name.toLowerCase()})`
}

function typeOf (schema: TSchema): string {
  if (schema['type'] === 'array' && nameOf(schema['items'] as TSchema) === undefined && propertiesOf(schema['items'] as TSchema).length > 0) {
    return `list of maps: ${propertiesOf(schema['items'] as TSchema).map(([key, property]) => `${code(key)} (${typeWords(property, nameOf)})`).join(', ')}`
  }
  return typeWords(schema, nameOf)
}

function fields (schema: TSchema): string {
  return table(['Field', 'Type', 'Range', 'Description'], propertiesOf(schema).map(([key, property]) => [
    isRequired(schema, key) ? code(key) : `${code(key)} (optional)`, typeOf(property), rangeWords(property), property.description ?? ''
  ]))
}

function part (title: string, schema: TSchema | undefined): string[] {
  if (schema === undefined) return []
  const name = nameOf(schema)
  if (name !== undefined) return [`**${title}**: ${name}`]
  return propertiesOf(schema).length === 0 ? [`**${title}**: \`{}\``] : [`**${title}**`, fields(schema)]
}

function callSection ([name, call]: [string, RpcCall]): string[] {
  return [
    `### ${name}`,
    `\`${call.method} ${call.path}\`: ${call.summary}`,
    ...call.lines === undefined ? [] : [linesSentence(call.lines)],
    ...part('Path', call.params), ...part('Query', call.query), ...part('Body', call.body), ...part('Reply', call.reply)
  ]
}

function linesSentence (path: string): string {
  return `\`POST ${path}\` is the same call line by line (NDJSON), in one request that may last: each line of its body is a body, and for each there is a line \`{"status", "body"}\` in the response, in the same order. This is what control uses.`
}

function eventSection (event: TSchema): string[] {
  const [[, type] = [], ...rest] = propertiesOf(event)
  return [`### Event ${code(String(type?.['const']))}`, fields({ ...event, properties: Object.fromEntries(rest) })]
}

export function rpcPage (): string {
  return page(
    '# Between control and proxy',
    generatedNote,
    'HTTP/1.1 with JSON over a Unix socket (`UDP_DIRECTOR_SOCKET`). The proxy serves, control calls, and an operator on the same machine can call too:',
    '```sh\ncurl --unix-socket /run/udp-director/proxy.sock http://proxy/v1/hello\n```',
    `A body is at most ${MAX_RPC_BODY_BYTES} bytes, a call carries at most ${MAX_TOKENS_PER_CALL} tokens, and times to live travel as remaining milliseconds. Errors are listed in [errors.md](errors.md#between-control-and-proxy).`,
    '## Calls',
    ...Object.entries(rpcCalls as Record<string, RpcCall>).flatMap(callSection),
    '## Events',
    `\`GET ${EVENTS_PATH}\` answers with one JSON object a line (NDJSON) for as long as the reader stays. \`?kinds=counts,redeemed\` asks for some kinds only, and the proxy makes none that nobody reads: ${eventKinds.map(kind => `\`${kind}\``).join(', ')}. \`hello\`, \`state\` and \`skipped\` come to everybody. Of a kind that comes quicker than it is read, lines are left out and \`skipped\` says how many; counts are absolute, and the latest of each target always comes.`,
    ...EventSchema.anyOf.flatMap(eventSection),
    '## Shapes',
    ...shapes.flatMap(([name, schema]) => [`### ${name}`, ...schema.description === undefined ? [] : [schema.description], fields(schema)])
  )
}
