// What the packet path says of a datagram.
import type { DropReason } from './drop-reason.js'

/** Send it on; `flow` says where to. The engine counts it as proxied or dropped when the system has answered. */
export const FORWARD = 0
/** It was for the director and ends here. */
export const CONSUMED = -1
/** It was copied, and waits for what the shared store says of its client: `Asks` goes on with it. */
export const HELD = -2

/** FORWARD, CONSUMED, HELD, or why it was dropped. */
export type Verdict = typeof FORWARD | typeof CONSUMED | typeof HELD | DropReason
