// LIST: which version of the collection a request may see, one page of it, and the token for the next.
// https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list
import { err, ok, type Result } from '#core/result.js'
import { decodeContinue, encodeContinue } from '../requests/continue-token.js'
import type { ListOptions } from '../requests/list-options.js'
import type { Collection } from '../objects/object-store.js'
import { failure, invalidOptions, json, tooOldVersion, type Reply } from '../requests/reply.js'
import { apiVersionOf, keyOf, textOf, type KubeObject } from '../objects/resource-type.js'

/** Which part of a collection, at which version. */
interface View {
  readonly objects: readonly KubeObject[]
  /** What the list says its version is. */
  readonly version: number
  readonly limit: number
}

/**
 * @param current the newest version; the caller has already waited for `options.version` to be reached
 * @param namespace undefined for all of them
 */
export function answerList (collection: Collection, namespace: string | undefined, options: ListOptions, current: number): Reply {
  const view = viewOf(collection, options, current)
  if (!view.ok) return view.error
  const { objects, version, limit } = view.value
  const wanted = objects.filter(object => (namespace === undefined || object.metadata.namespace === namespace) && options.selects(object))
  const page = limit === 0 ? wanted : wanted.slice(0, limit)
  const rest = wanted.length - page.length
  const metadata = {
    resourceVersion: String(version),
    ...(rest === 0 ? {} : { continue: encodeContinue({ version, after: keyOf(page.at(-1)!) }) }),
    ...(rest === 0 || options.selective ? {} : { remainingItemCount: rest })
  }
  return json(listText(collection, metadata, page))
}

function viewOf (collection: Collection, options: ListOptions, current: number): Result<View, Reply> {
  const { continueToken, version, versionMatch, limit } = options
  if (continueToken !== '') return continuedView(collection, options, current)
  if (versionMatch !== undefined && version === undefined) return err(invalidOptions('resourceVersionMatch', 'resourceVersionMatch is forbidden unless resourceVersion is provided'))
  if (versionMatch === 'Exact' && version === 0) return err(invalidOptions('resourceVersionMatch', 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
  // A limit without a match means Exact too: the versions before there was a match worked like this.
  const exact = versionMatch === 'Exact' || (versionMatch === undefined && limit > 0 && version !== undefined && version !== 0)
  if (exact && version !== undefined) {
    const objects = stateAt(collection, version, current)
    return objects === undefined ? err(failure(410, tooOldVersion(version, collection.ring.oldest))) : ok({ objects, version, limit })
  }
  // Version 0 is answered from the watch cache, which knows no pages.
  return ok({ objects: inOrder(collection.objects), version: current, limit: version === 0 ? 0 : limit })
}

function continuedView (collection: Collection, { continueToken, version, versionMatch, limit }: ListOptions, current: number): Result<View, Reply> {
  if (versionMatch !== undefined) return err(invalidOptions('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided'))
  if (version !== undefined && version !== 0) return err(failure(400, 'specifying resource version is not allowed when using continue'))
  const token = decodeContinue(continueToken)
  if (token === undefined) return err(failure(400, 'continue key is not valid'))
  const at = token.version === -1 ? current : token.version
  const objects = stateAt(collection, at, current)
  if (objects === undefined) return err(expiredContinue(token.after))
  return ok({ objects: objects.filter(object => keyOf(object) > token.after), version: at, limit })
}

// The 410 offers a token with which the rest can be had, at the price of a list that never was.
function expiredContinue (after: string): Reply {
  return failure(410, 'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
    'the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with ' +
    'the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the ' +
    'first chunk was returned and now may show up in the list.', undefined, { continue: encodeContinue({ version: -1, after }) })
}

function stateAt (collection: Collection, version: number, current: number): readonly KubeObject[] | undefined {
  if (version === current) return inOrder(collection.objects)
  const objects = new Map(collection.objects)
  return collection.ring.rewind(objects, version) ? inOrder(objects) : undefined
}

function inOrder (objects: ReadonlyMap<string, KubeObject>): readonly KubeObject[] {
  return [...objects].sort(([a], [b]) => a < b ? -1 : 1).map(([, object]) => object)
}

// The items of a built-in type carry no apiVersion and kind of their own: a client has to take them from the list.
function listText ({ type }: Collection, metadata: object, items: readonly KubeObject[]): string {
  const texts = items.map(item => type.group === '' ? JSON.stringify({ ...item, apiVersion: undefined, kind: undefined }) : textOf(item))
  const head = JSON.stringify({ kind: `${type.kind}List`, apiVersion: apiVersionOf(type), metadata })
  return `${head.slice(0, -1)},"items":[${texts.join(',')}]}`
}
