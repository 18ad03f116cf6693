// Everything that is fuzzed, in the order in which it is.
import type { FuzzTarget } from './fuzz-target.js'
import { stateRoundTrip } from './targets/state-round-trip.js'
import { stateLogs } from './targets/state-logs.js'

export const fuzzTargets: readonly FuzzTarget[] = [
  stateRoundTrip(),
  stateLogs()
]
