// The options of `query`, as the body of POST /query.
import { err, ok, type Result } from '#core/result.js'
import type { GivenOptions } from './read-options.js'

/** The body of `POST /query`. */
export interface QueryBody {
  readonly resourceType: string
  readonly namespace: string
  readonly labelSelector?: Readonly<Record<string, string>>
  readonly annotationSelector?: Readonly<Record<string, string>>
  readonly statusQuery?: { readonly jsonPath: string, readonly expectedValues: readonly string[] }
}

export interface QueryInvocation {
  readonly command: 'query'
  /** Of POST /query itself. */
  readonly url: URL
  readonly body: QueryBody
  readonly isJson: boolean
  /** Whose first key is sent as bearer key. */
  readonly keyFile: string | undefined
}

const DEFAULT_URL = 'http://127.0.0.1:9000'

/** The error is one sentence. */
export function queryFromOptions (given: GivenOptions): Result<QueryInvocation, string> {
  const one = (name: string): string | undefined => given.get(name)?.[0]
  const resourceType = one('type')
  const namespace = one('namespace')
  if (resourceType === undefined || namespace === undefined) return err(`query needs --${resourceType === undefined ? 'type' : 'namespace'}.`)
  const url = queryUrl(one('url') ?? DEFAULT_URL)
  if (url === undefined) return err(`--url must be an http or https URL, not ${String(one('url'))}.`)
  const labelSelector = mapFrom('label', given)
  if (!labelSelector.ok) return labelSelector
  const annotationSelector = mapFrom('annotation', given)
  if (!annotationSelector.ok) return annotationSelector
  const statusQuery = statusFrom(given.get('status') ?? [])
  if (!statusQuery.ok) return statusQuery
  return ok({
    command: 'query',
    url,
    isJson: given.has('json'),
    keyFile: one('key-file'),
    body: { resourceType, namespace, ...labelSelector.value, ...annotationSelector.value, ...statusQuery.value }
  })
}

// A path in the URL is a prefix, as behind an ingress; "localhost:9000" parses as a URL of scheme "localhost".
function queryUrl (text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined
  url.pathname = `${url.pathname.replace(/\/$/, '')}/query`
  return url
}

type Selectors = Pick<QueryBody, 'labelSelector' | 'annotationSelector'>

function mapFrom (option: 'label' | 'annotation', given: GivenOptions): Result<Selectors, string> {
  const pairs: Array<readonly [string, string]> = []
  for (const text of given.get(option) ?? []) {
    // A key has no equals sign in it (Kubernetes: letters, digits, - _ . and one /), a value of an annotation may.
    const at = text.indexOf('=')
    if (at < 1) return err(`--${option} must be KEY=VALUE, not ${text}.`)
    pairs.push([text.slice(0, at), text.slice(at + 1)])
  }
  return ok(pairs.length === 0 ? {} : { [`${option}Selector`]: Object.fromEntries(pairs) })
}

function statusFrom (texts: readonly string[]): Result<Pick<QueryBody, 'statusQuery'>, string> {
  const expectedValues: string[] = []
  let jsonPath: string | undefined
  for (const text of texts) {
    const at = equalsOutsideBrackets(text)
    if (at < 1) return err(`--status must be PATH=VALUE, not ${text}.`)
    const path = text.slice(0, at)
    if (jsonPath !== undefined && jsonPath !== path) return err(`--status can ask for one field only, not for ${jsonPath} and ${path}.`)
    jsonPath = path
    expectedValues.push(text.slice(at + 1))
  }
  return ok(jsonPath === undefined ? {} : { statusQuery: { jsonPath, expectedValues } })
}

// A JSONPath filter has equals signs of its own: status.ports[?(@.name=="game")].port=7000
function equalsOutsideBrackets (text: string): number {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '[') depth++
    else if (text[at] === ']') depth--
    else if (text[at] === '=' && depth === 0) return at
  }
  return -1
}
