// What the guards of a listener need, and what they count.
import type { Config } from '#config/schema.js'
import type { Clock } from '#core/clock.js'
import type { Tables } from '#telemetry/tables.js'
import type { AuthFailure } from '../auth/authenticator.js'
import type { Authenticators } from '../auth/open-authenticators.js'
import type { Listener } from '../listener/listener.js'

/** Which guard refused a request: a closed set, and the label of a metric. */
export const refusals = ['forwarded', 'host', 'access', 'under_way', 'authentication', 'rate', 'work'] as const
export type RequestRefusal = typeof refusals[number]

export interface GuardMetrics {
  readonly requestRefused: (listener: Listener, reason: RequestRefusal) => void
  readonly connectionRefused: (listener: Listener) => void
  readonly authenticationFailed: (listener: Listener, reason: AuthFailure) => void
}

export interface GuardDeps {
  readonly config: Config
  readonly clock: Clock
  readonly authenticators: Authenticators
  readonly metrics: GuardMetrics
  readonly tables: Pick<Tables, 'add'>
}
