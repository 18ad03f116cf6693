// What comes from the server on its way into a collection: checks pages and events, drops late news, and separates events that
// contradict the known state from events that only add to it.
import { err, ok, type Result } from '#core/result.js'
import type { Slices } from '#core/slices.js'
import type { KubeObject } from '../../objects/inventory.js'
import type { ApiFailure } from '../api/api-failure.js'
import { isOlder, type Collection } from './collection.js'
import { listPageFrom, type Expected, type ListPage } from '../api/object-from-api.js'
import { apiVersionOf, type Source } from '../api/source.js'
import { lineFaults, watchEventFrom, type WatchEvent } from '../api/watch-event.js'

/** Why an event makes no sense. */
export const corruptReasons = [...lineFaults, 'too_long', 'version_went_back'] as const

export type CorruptReason = typeof corruptReasons[number]

/** What became of an event. */
export type Taken =
  | { readonly kind: 'applied' }
  /** The state held is newer. */
  | { readonly kind: 'stale' }
  | { readonly kind: 'failed', readonly failure: ApiFailure }
  /** It makes no sense: from here on nobody knows what the server holds. */
  | { readonly kind: 'corrupt', readonly reason: CorruptReason }

const applied: Taken = { kind: 'applied' }
// A stream never goes back, but the storage behind it may have been restored from a backup: only a list can say what there is.
const wentBack: Taken = { kind: 'corrupt', reason: 'version_went_back' }

export class Intake {
  readonly #collection: Collection
  #expected: Expected
  #version = ''

  constructor (collection: Collection, source: Source) {
    this.#collection = collection
    this.#expected = { apiVersion: apiVersionOf(source), kind: undefined, namespace: source.namespace }
  }

  /** The resourceVersion that the collection is at. */
  get version (): string {
    return this.#version
  }

  pageFrom (body: unknown): Result<ListPage, ApiFailure> {
    const page = listPageFrom(body, this.#expected)
    if (!page.ok) return err({ reason: 'malformed', detail: page.error })
    this.#expect(page.value.objects[0])
    return ok(page.value)
  }

  /** Makes the collection what a list of `version` said. */
  * replace (objects: readonly KubeObject[], version: string): Slices<void> {
    yield * this.#collection.replace(objects)
    this.#version = version
  }

  /** Empties the collection: the resource is gone. */
  * empty (): Slices<void> {
    yield * this.#collection.replace([])
  }

  /** Takes a line of a watch. */
  take (line: string): Taken {
    const event = watchEventFrom(line, this.#expected)
    if (!event.ok) return { kind: 'corrupt', reason: event.error }
    switch (event.value.type) {
      case 'ERROR': return { kind: 'failed', failure: event.value.failure }
      case 'BOOKMARK': return this.#bookmark(event.value.resourceVersion)
      default: return this.#apply(event.value)
    }
  }

  #bookmark (version: string): Taken {
    if (isOlder(version, this.#version)) return wentBack
    this.#version = version
    return applied
  }

  #apply ({ type, object, resourceVersion }: Extract<WatchEvent, { object: unknown }>): Taken {
    if (this.#collection.isStale(object)) return { kind: 'stale' }
    if (isOlder(resourceVersion, this.#version)) return wentBack
    this.#expect(object)
    this.#collection.apply(type, object)
    this.#version = resourceVersion
    return applied
  }

  #expect (object: KubeObject | undefined): void {
    if (object !== undefined) this.#expected = { ...this.#expected, kind: object.kind }
  }
}
