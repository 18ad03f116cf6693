// The proxy core, put together: one state, the packet path over it, what was asked about those who wait, and the operations of control.
import type { Observer } from './ledger/observer.js'
import { Operations } from './sessions/operations.js'
import { Asks } from './datagrams/asks.js'
import type { CoreOptions } from './datagrams/options.js'
import { PacketPath } from './datagrams/packet-path.js'
import { CoreState } from './datagrams/core-state.js'

export interface Core {
  readonly state: CoreState
  readonly packets: PacketPath
  readonly asks: Asks
  readonly operations: Operations
}

export function createCore (options: CoreOptions, observer: Observer): Core {
  const state = new CoreState(options, observer)
  const packets = new PacketPath(state)
  return { state, packets, asks: new Asks(state, packets), operations: new Operations(state) }
}
