// Recognises documents that are not a configuration: people give a whole ConfigMap, or the file beside it. One fault that
// says so helps more than a list of unknown keys.
import { quote, type ConfigFault } from '../fault.js'
import { isMap, type UnknownMap } from '../map.js'
import { didYouMean } from '../nearest.js'

const WHERE = 'the document'

/** Fewest keys that must be unknown, with none known among them, before the document as a whole is taken for another one. */
const FEW_KEYS = 3

/** The one fault of a document that is something else; undefined if it may be a configuration. `known` are the keys of one. */
export function otherDocument (document: UnknownMap, known: ReadonlySet<string>): ConfigFault | undefined {
  const sentence = kubernetesObject(document, known) ?? holder(document, known) ?? jsonSchema(document) ?? stranger(document, known)
  return sentence === undefined ? undefined : { path: WHERE, message: sentence }
}

/** What to say of several YAML documents in one file. */
export function severalDocuments (first: unknown, count: number): ConfigFault {
  const what = isMap(first) && isText(first['kind']) && isText(first['apiVersion']) ? `, of which the first is a Kubernetes ${named(first)}` : ''
  return { path: WHERE, message: `must be one: the file has ${count} YAML documents, with "---" between them${what}.` }
}

function kubernetesObject (document: UnknownMap, known: ReadonlySet<string>): string | undefined {
  const { kind, apiVersion } = document
  if (!isText(kind) || !isText(apiVersion)) return undefined
  if (kind === 'ConfigMap' || kind === 'Secret') return keeper(document, kind, known)
  if (isNameless(document) && Array.isArray(document['items'])) return `is a Kubernetes ${kind} of ${document['items'].length} objects, not a configuration. Objects of an inventory belong in a file of their own, which inventory.path names.`
  if (apiVersion === 'v1' || /^(apps|batch|rbac\.authorization\.k8s\.io|networking\.k8s\.io|policy)\//.test(apiVersion)) return `is a Kubernetes ${named(document)}, not a configuration.`
  if (apiVersion.startsWith('kustomize.config.k8s.io/')) return `is a ${kind} of kustomize, not a configuration. "kubectl kustomize" makes a ConfigMap of it, under a key of which the configuration is.`
  return `is a Kubernetes ${named(document)}, as an inventory holds it, not a configuration. It belongs in a file that inventory.path names.`
}

// A ConfigMap or a Secret has the configuration inside, under a key, and in a Secret as base64.
function keeper (document: UnknownMap, kind: 'ConfigMap' | 'Secret', known: ReadonlySet<string>): string {
  const held = { ...mapOf(document['data']), ...mapOf(document['stringData']), ...mapOf(document['binaryData']) }
  const keys = Object.keys(held)
  const start = `is a whole Kubernetes ${named(document)}; the configuration is `
  const [key] = [...keys.filter(name => isText(held[name]) && mentions(held[name], known)), ...keys.filter(name => /\.ya?ml$/.test(name)), ...keys]
  if (key === undefined) return `${start}what such an object has under a key of its data, and this one has no data.`
  const base64 = kind === 'Secret' && !Object.hasOwn(mapOf(document['stringData']), key)
  const path = key.replaceAll('.', '\\.')
  const part = Object.hasOwn(mapOf(document['stringData']), key) ? 'stringData' : 'data'
  const { name, namespace } = mapOf(document['metadata'])
  const where = isText(namespace) ? ` --namespace ${namespace}` : ''
  // The API server answers with all of a Secret as base64, whatever it was made from.
  const decode = kind === 'Secret' ? ' | base64 --decode' : ''
  const command = `kubectl get ${kind.toLowerCase()} ${isText(name) ? name : 'NAME'}${where} --output jsonpath='{.data.${path}}'${decode} > config.yaml`
  return `${start}the text under ${part}[${quote(key)}]${base64 ? ', decoded from base64' : ''}. Give that as a file: ${command}. In a pod, mount the ${kind} as a volume.`
}

// Values of Helm, or a file of another tool, with the configuration as one of its parts.
function holder (document: UnknownMap, known: ReadonlySet<string>): string | undefined {
  const keys = Object.keys(document)
  if (keys.some(key => known.has(key))) return undefined
  const key = keys.find(name => {
    const value = document[name]
    return isMap(value) ? Object.keys(value).filter(inner => known.has(inner)).length > 1 : isText(value) && mentions(value, known)
  })
  if (key === undefined) return undefined
  return `has a configuration under ${quote(key)}, and is none itself${isHelm(keys) ? ' (it looks like the values of a Helm chart)' : ''}: give what stands under that key as a file of its own.`
}

function jsonSchema (document: UnknownMap): string | undefined {
  if (!isText(document['$schema']) || !isMap(document['properties'])) return undefined
  return 'is a JSON Schema, which says how a configuration may look, not a configuration.'
}

function stranger (document: UnknownMap, known: ReadonlySet<string>): string | undefined {
  const keys = Object.keys(document)
  if (keys.length < FEW_KEYS || keys.some(key => known.has(key) || didYouMean(key, known) !== '')) return undefined
  const helm = isHelm(keys) ? ' It looks like the values of a Helm chart.' : ''
  return `is not a configuration: none of its ${keys.length} keys is one of ours (the first are ${keys.slice(0, FEW_KEYS).map(quote).join(', ')}).${helm}`
}

const helmKeys = ['replicaCount', 'image', 'nameOverride', 'fullnameOverride', 'serviceAccount', 'podAnnotations', 'nodeSelector', 'tolerations', 'affinity']

function isHelm (keys: readonly string[]): boolean {
  return keys.filter(key => helmKeys.includes(key)).length > 1
}

// Whether a text has lines that begin with our keys: enough to tell, without parsing what may be anything.
function mentions (text: string, known: ReadonlySet<string>): boolean {
  let found = 0
  for (const [, key = ''] of text.slice(0, 100_000).matchAll(/^["']?([A-Za-z]+)["']?\s*:/gm)) if (known.has(key) && ++found > 1) return true
  return false
}

function named (object: UnknownMap): string {
  const { name } = mapOf(object['metadata'])
  return isText(name) ? `${String(object['kind'])} (${quote(name)})` : String(object['kind'])
}

function isNameless (object: UnknownMap): boolean {
  return mapOf(object['metadata'])['name'] === undefined
}

function mapOf (value: unknown): UnknownMap {
  return isMap(value) ? value : {}
}

function isText (value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
