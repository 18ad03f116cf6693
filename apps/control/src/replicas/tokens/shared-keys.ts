// The keys of marks that replicas share: read from the store again and again, replaced once a day, and told to the own proxy. A new key
// marks no token before every replica has had the time to read it; a former one is known for as long as a token may live.
import type { Cancel } from '#core/clock.js'
import { TOKEN_KEY_PATTERN } from '#wire/token-mac.js'
import type { SharedKeys as StoredKeys } from '../../store/shared-store.js'
import { MAX_TTL_SECONDS } from '../../tokens/token-issuer.js'
import { MAX_TOLD_KEYS, type TokenKeys } from '../../tokens/token-keys.js'
import type { ReplicaContext, ReplicaPart } from '../parts/replica-part.js'

/** How often the keys are read, in ms. */
export const READ_MS = 60_000

/** How soon they are asked for again where the store did not answer, in ms. */
const RETRY_MS = 1000

/** How old a key becomes, in ms; each replica proposes the next one up to an hour later, so that most find it done. */
export const ROTATE_MS = 86_400_000
const SPREAD_MS = 3_600_000

/** How long a new key is known before tokens are marked by it, in ms: some replicas may be without the store for a while. */
export const LEAD_MS = 3_600_000

/** How long a former key is known after that, in ms: the longest life of a token. */
export const KEPT_MS = LEAD_MS + MAX_TTL_SECONDS * 1000

// Where there is a key, it is not replaced however old it is.
const ANY_AGE = Number.MAX_SAFE_INTEGER

const pattern = new RegExp(TOKEN_KEY_PATTERN)

export interface SharedKeysOptions extends Pick<ReplicaContext, 'clock' | 'random' | 'store'> {
  readonly keys: TokenKeys
  readonly makeTokenKey: () => string
}

interface Known {
  readonly key: string
  /** When another took its place, on the clock's monotonic scale; Infinity of the current one. */
  replacedMs: number
}

export class SharedKeys implements ReplicaPart {
  readonly #options: SharedKeysOptions
  /** The newest first, as the store had them. */
  #known: Known[] = []
  /** When the store's current key was made, on the own clock. */
  #madeMs = 0
  /** Until then the former key marks. */
  #leadUntilMs = 0
  #rotateMs = ROTATE_MS
  #cancelRead: Cancel | undefined
  #isClosed = false

  constructor (options: SharedKeysOptions) {
    this.#options = options
    this.#rotateMs += options.random() * SPREAD_MS
  }

  async onStoreUp (): Promise<void> {
    await this.#read()
  }

  close (): void {
    this.#isClosed = true
    this.#cancelRead?.()
  }

  async #read (): Promise<void> {
    const { clock, store, makeTokenKey } = this.#options
    this.#cancelRead?.()
    const current = this.#known[0]
    const isOld = current !== undefined && clock.now() - this.#madeMs >= this.#rotateMs
    // A store that was emptied is given the key that replicas have: their tokens stay known.
    const read = isOld ? await store.keys(makeTokenKey(), ROTATE_MS) : await store.keys(current?.key ?? makeTokenKey(), ANY_AGE)
    if (read.ok) this.#take(read.value)
    this.#tell()
    this.#cancelRead?.()
    // While the store is away they are not read, but time goes on, and changes which key marks.
    if (!this.#isClosed) this.#cancelRead = clock.after(read.ok || read.error === 'down' ? READ_MS : RETRY_MS, () => { void this.#read() })
  }

  #take ({ current, former, sinceMs, nowMs }: StoredKeys): void {
    // Written by somebody else: what is not a key is none.
    if (!pattern.test(current)) return
    const now = this.#options.clock.now()
    this.#madeMs = now - Math.max(0, nowMs - sinceMs)
    const before = this.#known[0]?.key
    if (before === current) return
    const others = this.#known.filter(({ key }) => key !== current)
    for (const other of others) other.replacedMs = Math.min(other.replacedMs, now)
    if (former !== undefined && pattern.test(former) && former !== current && !others.some(({ key }) => key === former)) others.unshift({ key: former, replacedMs: this.#madeMs })
    this.#known = [{ key: current, replacedMs: Infinity }, ...others]
    // The store was emptied and somebody else was first to give it a key: whoever comes new does not know the one before, so that marks no more.
    this.#leadUntilMs = before === undefined || former === before ? this.#madeMs + LEAD_MS : 0
  }

  // Called at every reading: time alone changes which key marks, and which is over.
  #tell (): void {
    const now = this.#options.clock.now()
    this.#known = this.#known.filter(({ replacedMs }) => now - replacedMs < KEPT_MS).slice(0, MAX_TOLD_KEYS)
    const [current, former] = this.#known
    if (current === undefined) return
    this.#options.keys.set(now < this.#leadUntilMs ? former?.key ?? current.key : current.key, this.#known.map(({ key }) => key))
  }
}
