/* eslint-disable @stylistic/key-spacing -- the rows are the drawing */
// What a state log says, kind by kind and field by field. This is the only place that knows where anything is: what writes
// (images.ts), reads (saved-images.ts) and checks (check-batch.ts) is derived from it. Another layout is another format:
// change STATE_VERSION with it (log-format.ts).
//
//   payload   moment, 24 bytes │ image │ image │ …
//   image     u8 kind │ u16 length of the body │ u32 slot │ body        length 0: the slot is free
//
// An image stands for all before it of the same kind and slot. Numbers are little-endian.
import { ADDRESS_WORDS } from '#wire/address.js'
import { MAX_LOCALS } from '../../core/datagrams/local-addresses.js'
import { Origin, pastFields, type PastField, type sessionPast } from '../../core/tables/session-table.js'
import type { TargetSpec } from '../../core/tables/target-table.js'
import { Voidness } from '../../core/tables/token-table.js'
import { MOMENT_BYTES } from './moment.js'
import { isCount, recordLayout, type Row, type Rows } from './record.js'

/** Bytes in front of a batch's first image. */
export const BATCH_HEAD_BYTES = MOMENT_BYTES

/** Bytes in front of an image's body. */
export const IMAGE_HEAD_BYTES = 7

/** What an image is of. A number is never reused for another meaning within a version. */
export const ImageKind = Object.freeze({
  session:      1,
  flow:         2,
  token:        3,
  target:       4,
  upstreamPort: 5,
  counters:     6,
  complete:     7,  // a mark: everything there was when this log began is in it, older ones are not needed
  seen:         8,
  continued:    9,  // a mark, the last of this log: what came after it is in the log of the next generation
  localAddress: 10
} as const)
export type ImageKind = typeof ImageKind[keyof typeof ImageKind]

// In the byte of a session's origin: it has redeemed a token, at whatever target it is now.
const REDEEMED_FLAG = 0x80

// A session that followed its client is written as one by a token, without the flag that such a one always has. A proxy that knows
// nothing of it takes it for one by a token, which it is but for the name; a number of its own would make it set the log aside.
const FOLLOWED: number = Origin.token

/** The byte that says where a session is from. */
export function originByte (origin: Origin, hasRedeemed: boolean): number {
  if (origin === Origin.followed) return FOLLOWED
  return hasRedeemed ? origin | REDEEMED_FLAG : origin
}

export function originFrom (byte: number): Origin {
  return byte === FOLLOWED ? Origin.followed : (byte & ~REDEEMED_FLAG) as Origin
}

/** Whether a session has redeemed a token, by the byte of its origin. */
export function hasRedeemed (byte: number): boolean {
  return byte === FOLLOWED || (byte & REDEEMED_FLAG) !== 0
}

const isPort = (value: number): boolean => value > 0

/** A session's past has a row for each field, of the type that the session table says. */
type PastRows = { readonly [Field in PastField]: Row & { readonly type: typeof sessionPast[Field] } }

export const SESSION = recordLayout(ImageKind.session, {
  client:            { at:  0, type: 'address' },
  clientPort:        { at: 16, type: 'u16', check: isPort },
  target:            { at: 18, type: 'u32' },   // id of its target: the slot of an image of that kind
  origin:            { at: 22, type: 'u8', check: value => (value & ~REDEEMED_FLAG) <= Origin.operator },
  serial:            { at: 23, type: 'u32' },   // tells successive sessions in the same slot apart
  token:             { at: 27, type: 'token' }, // that it was last bound with
  tokenExpiresAt:    { at: 43, type: 'time' },  // 0 if it never had one
  createdAt:         { at: 51, type: 'time' },
  lastSeen:          { at: 59, type: 'time' },
  datagramsToTarget: { at: 67, type: 'count' },
  bytesToTarget:     { at: 75, type: 'count' },
  datagramsToClient: { at: 83, type: 'count' },
  bytesToClient:     { at: 91, type: 'count' }
} satisfies PastRows & Rows)

/** What the core calls a session's past. */
export const SESSION_PAST = SESSION.group(pastFields)

/** When a session was last seen: written now and then, in between its own images. */
export const SEEN = recordLayout(ImageKind.seen, {
  lastSeen: { at: 0, type: 'time' }
})

export const FLOW = recordLayout(ImageKind.flow, {
  session:  { at:  0, type: 'u32OrNone' },  // slot of its session; none if it lingers
  dataPort: { at:  4, type: 'u8', check: (value, dataPorts) => value < dataPorts },
  socket:   { at:  5, type: 'u16' },        // number of its upstream socket
  address:  { at:  7, type: 'address' },    // of its target
  port:     { at: 23, type: 'u16', check: isPort },
  local:    { at: 25, type: 'u16', check: value => value <= MAX_LOCALS } // address of ours that its replies come from
})

/** An address of this host that clients sent to, by its number in flows. */
export const LOCAL_ADDRESS = recordLayout(ImageKind.localAddress, {
  address: { at:  0, type: 'address' },
  zone:    { at: 16, type: 'u32' }  // its interface, 0 for any
})

/** In place of the client of a token that anyone may redeem: no prefix is like this. Zeros would be that of ::1. */
export const NOBODY = new Uint32Array(ADDRESS_WORDS).fill(0xffff_ffff)

export const TOKEN = recordLayout(ImageKind.token, {
  token:     { at:  0, type: 'token' },
  target:    { at: 16, type: 'u32OrNone' },  // id of its target; none if it is void
  consumed:  { at: 20, type: 'u16' },        // bit i is set if it was redeemed on data port i
  voidness:  { at: 22, type: 'u8', check: value => value <= Voidness.targetGone },
  expiresAt: { at: 23, type: 'time' },
  client:    { at: 31, type: 'address' }     // the only one that may redeem it, the rest of its prefix zero; or NOBODY
})

/** The port of an upstream socket; the slot is the socket's number × 2, and one more for IPv6. */
export const UPSTREAM_PORT = recordLayout(ImageKind.upstreamPort, {
  port: { at: 0, type: 'u16' }
})

/** The counters that a restart must not set back, in the order of their slots. A body is one array, a double for each. */
export const savedCounters = ['received', 'proxied', 'bytes', 'dropped', 'consumed', 'redeemed', 'sessionsCreated', 'sessionsReset', 'sessionsEnded', 'targetsGone'] as const

type SavedCounter = typeof savedCounters[number]

/**
 * Those whose places are numbers that a later version may add to, behind the others: how many such rows one has. The places of the others
 * are data ports.
 */
const growingRows: { readonly [Name in SavedCounter]?: number } = { dropped: 2, consumed: 1, sessionsCreated: 1, sessionsReset: 1, sessionsEnded: 1, targetsGone: 1 }

/** Adds what another version may have written to what this one counts. What only one of the two knows is left as it is. */
export function addCounter (name: SavedCounter, saved: Float64Array, counts: Float64Array): void {
  const rows = saved.length === counts.length ? 1 : growingRows[name]
  // Of other data ports: its places mean something else.
  if (rows === undefined) return
  const [savedWidth, width] = [saved.length / rows, counts.length / rows]
  if (!Number.isInteger(savedWidth)) return
  for (let row = 0; row < rows; row++) for (let place = 0; place < Math.min(savedWidth, width); place++) counts[row * width + place]! += saved[row * savedWidth + place]!
}

/** A target, by its id: its key, address and ports as JSON, ports by data port index. */
export const TARGET = {
  encode: ({ key, address, ports }: TargetSpec): Uint8Array => Buffer.from(JSON.stringify({ key, address, ports })),
  decode: (body: Uint8Array): TargetSpec => JSON.parse(Buffer.from(body).toString()) as TargetSpec
}

/** Whether the body that starts at `body`, of `length` bytes, is one of a proxy with so many data ports. */
export type BodyCheck = (view: DataView, body: number, length: number, dataPorts: number) => boolean

/** By kind. A mark has no body. */
export const bodyChecks: Readonly<Record<ImageKind, BodyCheck>> = {
  [ImageKind.session]: SESSION.isSound,
  [ImageKind.flow]: FLOW.isSound,
  [ImageKind.token]: TOKEN.isSound,
  [ImageKind.target]: (view, body, length, dataPorts) => isTarget(new Uint8Array(view.buffer, view.byteOffset + body, length), dataPorts),
  [ImageKind.upstreamPort]: UPSTREAM_PORT.isSound,
  [ImageKind.counters]: (view, body, length) => {
    if (length % 8 !== 0) return false
    for (let at = body; at < body + length; at += 8) if (!isCount(view.getFloat64(at, true))) return false
    return true
  },
  [ImageKind.complete]: () => false,
  [ImageKind.seen]: SEEN.isSound,
  [ImageKind.continued]: () => false,
  [ImageKind.localAddress]: LOCAL_ADDRESS.isSound
}

function isTarget (body: Uint8Array, dataPorts: number): boolean {
  try {
    const target: unknown = JSON.parse(Buffer.from(body).toString())
    return typeof target === 'object' && target !== null && 'key' in target && typeof target.key === 'string' && target.key !== '' &&
      'address' in target && typeof target.address === 'string' && 'ports' in target && Array.isArray(target.ports) &&
      target.ports.length === dataPorts && target.ports.every(isPortOrNone)
  } catch { // SyntaxError: not JSON
    return false
  }
}

function isPortOrNone (port: unknown): boolean {
  return Number.isInteger(port) && Number(port) >= 0 && Number(port) <= 65_535
}
