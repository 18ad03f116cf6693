// What a server that starts answers before it is one, in the order and with the words of a kube-apiserver 1.36: it
// listens before it has read its roles, before its caches are filled, and while all its clients come back at once.
import type { Clock } from '#core/clock.js'
import type { Fault } from './fault.js'

export interface StartingPhase {
  readonly forMs: number
  readonly code: number
  readonly message: string
  readonly retryAfterSeconds?: number
}

export interface Restart {
  /** How long connections are refused. */
  readonly downMs: number
  /** From when they are accepted again; `startingPhases` if unset. */
  readonly phases?: readonly StartingPhase[]
  /** Versions of before are forgotten: 410 for who watches from there. True if unset. */
  readonly forgets?: boolean
}

/** Measured: 403 for 50 to 260 ms of every start, then 503 until the caches are filled, then 429 while clients queue. */
export const startingPhases: readonly StartingPhase[] = [
  { forMs: 260, code: 403, message: 'gameservers.agones.dev is forbidden: User "system:serviceaccount:udp-director:udp-director" cannot watch resource "gameservers": RBAC: role.rbac.authorization.k8s.io "udp-director" not found' },
  { forMs: 1500, code: 503, message: 'apiserver not ready', retryAfterSeconds: 5 },
  { forMs: 1500, code: 429, message: 'storage is (re)initializing', retryAfterSeconds: 1 },
  { forMs: 2500, code: 429, message: 'Too many requests, please try again later.', retryAfterSeconds: 3 }
]

export class StartingServer {
  readonly #clock: Clock
  #phases: readonly StartingPhase[] = []
  #sinceMs = 0

  constructor (clock: Clock) {
    this.#clock = clock
  }

  /** It listens from this moment on. */
  begin (phases: readonly StartingPhase[]): void {
    this.#phases = phases
    this.#sinceMs = this.#clock.now()
  }

  /** What happens to a request that comes now; undefined once the server is up. */
  get fault (): Fault | undefined {
    let untilMs = this.#sinceMs
    for (const { forMs, ...answer } of this.#phases) {
      untilMs += forMs
      if (this.#clock.now() < untilMs) return { kind: 'status', ...answer }
    }
    return undefined
  }
}
