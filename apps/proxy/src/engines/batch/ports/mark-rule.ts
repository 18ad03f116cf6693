// Which mark a datagram leaves with. The second byte of an IPv4 header and the traffic class of IPv6 are one byte with two
// parts (RFC 3168 §5, RFC 2474 §3):
//
//   7             2 1   0
//   │    DSCP      │ ECN │
//
// ECN belongs to the two ends: a router that is congested writes into it, and its reader slows down. It is carried, always.
// DSCP is a request to the network it was written for, and ours is another one: the operator says what becomes of it.

/** `keep`, or the DSCP of everything that is sent, 0–63. */
export type Dscp = 'keep' | number

const ECN_BITS = 3

export interface MarkRule {
  /** The mark of a datagram that came with none. */
  readonly usual: number
  /** The bits of the received mark that are carried. */
  readonly carried: number
}

/** @returns the rule: a datagram that came with `mark` leaves with `mark & carried | usual` */
export function markRule (dscp: Dscp): MarkRule {
  return dscp === 'keep' ? { usual: 0, carried: 0xff } : { usual: dscp << 2, carried: ECN_BITS }
}
