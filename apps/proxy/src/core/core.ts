// The proxy core, put together: one state, the packet path over it, and the operations of control.
import type { Observer } from './ledger/observer.js'
import { Operations } from './sessions/operations.js'
import type { CoreOptions } from './datagrams/options.js'
import { PacketPath } from './datagrams/packet-path.js'
import { CoreState } from './datagrams/core-state.js'

export interface Core {
  readonly state: CoreState
  readonly packets: PacketPath
  readonly operations: Operations
}

export function createCore (options: CoreOptions, observer: Observer): Core {
  const state = new CoreState(options, observer)
  return { state, packets: new PacketPath(state), operations: new Operations(state) }
}
