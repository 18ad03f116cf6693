// What the datagrams of these experiments carry, so that targets can tell players from a flood, and one player from another.
//
//   0 kind (4)   4 number of the player (4)   8 sequence, from 0 (4)   then nothing that matters

/** Of each datagram, in bytes. */
export const DATAGRAM_BYTES = 64

export const DATAGRAM_WORDS = DATAGRAM_BYTES / 4

/** The first word. Neither is how a token or a control packet begins. */
export const Kind = Object.freeze({ player: 1, flood: 2 } as const)
