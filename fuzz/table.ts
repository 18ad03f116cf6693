// Everything that is fuzzed, in the order in which it is.
import type { FuzzTarget } from './fuzz-target.js'
import { config } from './targets/config.js'
import { heldDatagrams } from './targets/held-datagrams.js'
import { httpBodies } from './targets/http-bodies.js'
import { jsonPath } from './targets/json-path.js'
import { eventLines, watchLines } from './targets/lines.js'
import { packetPath } from './targets/packet-path.js'
import { rpcBodies } from './targets/rpc-bodies.js'
import { stateLogs } from './targets/state-logs.js'
import { stateRoundTrip } from './targets/state-round-trip.js'
import { storeRecords } from './targets/store-records.js'
import { addressBlocks, addresses, packetKinds } from './targets/wire.js'

export const fuzzTargets: readonly FuzzTarget[] = [
  addresses(),
  addressBlocks(),
  packetKinds(),
  packetPath(),
  stateRoundTrip(),
  stateLogs(),
  config(),
  jsonPath(),
  httpBodies(),
  rpcBodies(),
  storeRecords(),
  heldDatagrams(),
  eventLines(),
  watchLines()
]
