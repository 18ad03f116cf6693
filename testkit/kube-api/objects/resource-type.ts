// What kinds of object the fake API serves, and what an object looks like to it.

export interface ResourceType {
  /** '' for the core group. */
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
  /** For `kubectl get gs`. */
  readonly shortNames?: readonly string[]
}

/** A Kubernetes object as JSON. Everything the server hands out is frozen. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
  readonly [field: string]: unknown
}

export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly [field: string]: unknown
}

/** What a test hands in: the server fills in the rest as the real one does. */
export interface NewObject {
  readonly metadata: ObjectMeta
  readonly [field: string]: unknown
}

export const defaultResourceTypes: readonly ResourceType[] = [
  { group: 'agones.dev', version: 'v1', plural: 'gameservers', kind: 'GameServer', namespaced: true, shortNames: ['gs'] },
  { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true, shortNames: ['po'] },
  { group: '', version: 'v1', plural: 'services', kind: 'Service', namespaced: true, shortNames: ['svc'] }
]

/** `v1` or `agones.dev/v1`. */
export function apiVersionOf ({ group, version }: ResourceType): string {
  return group === '' ? version : `${group}/${version}`
}

/** `pods` or `gameservers.agones.dev`: how the server's messages call a type. */
export function qualifiedName ({ group, plural }: ResourceType): string {
  return group === '' ? plural : `${plural}.${group}`
}

/** `namespace/name`, or the name alone where there are no namespaces: the order of these keys is the order of a list. */
export function keyOf ({ metadata }: NewObject): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`
}

const texts = new WeakMap<KubeObject, string>()

/** The object's JSON, made once: a busy object goes out in many lists and events. */
export function textOf (object: KubeObject): string {
  let text = texts.get(object)
  if (text === undefined) texts.set(object, text = JSON.stringify(object))
  return text
}
