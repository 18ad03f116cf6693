// Every request the fake API received, and ways to wait for the next ones without sleeping.

export type Verb = 'list' | 'watch' | 'get' | 'create' | 'update' | 'patch' | 'delete' | 'discovery' | 'other'

export interface RequestRecord {
  readonly verb: Verb
  /** Plural of the resource type, whether it is served or not. */
  readonly type: string | undefined
  readonly group: string | undefined
  readonly namespace: string | undefined
  readonly name: string | undefined
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** When it came, by the server's clock. */
  readonly atMs: number
  /** Connections are numbered from 1: two requests on one show that it was kept alive. */
  readonly connection: number
  /** The answer's status code; undefined before it, and for ever when there is none. */
  status: number | undefined
}

/** Requests that bear all that is named here. */
export interface RequestMatch {
  readonly verb?: Verb
  readonly type?: string
  readonly namespace?: string
  readonly name?: string
  /** Anything else: a page of a list, a selector. */
  readonly where?: (request: RequestRecord) => boolean
}

export function matches (match: RequestMatch, request: RequestRecord): boolean {
  const { verb, type, namespace, name, where } = match
  return (verb === undefined || verb === request.verb) && (type === undefined || type === request.type) &&
    (namespace === undefined || namespace === request.namespace) && (name === undefined || name === request.name) &&
    (where === undefined || where(request))
}

/** Conditions over state that changes by events: each change is announced with `changed`. */
export class Waiting {
  readonly #looks = new Set<() => void>()

  readonly changed = (): void => {
    for (const look of [...this.#looks]) look()
  }

  /** Resolves as soon as `condition` holds. */
  readonly until = async (condition: () => boolean): Promise<void> => {
    if (condition()) return
    await new Promise<void>(resolve => {
      const look = (): void => {
        if (!condition()) return
        this.#looks.delete(look)
        resolve()
      }
      this.#looks.add(look)
    })
  }
}
