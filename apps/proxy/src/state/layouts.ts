// Where the fields of an image are: the one place that knows. images.ts writes them in this order, saved-images.ts reads
// them, check-batch.ts looks whether they can be what they say. Change STATE_VERSION with it (log-format.ts).
import { ADDRESS_WORDS } from '#wire/address.js'
import { TOKEN_WORDS } from '#wire/token.js'

// Bytes of each kind of field. A time is one of the life that wrote it (moment.ts), a count a whole number; both doubles.
const sizes = { u8: 1, u16: 2, u32: 4, time: 8, count: 8, address: ADDRESS_WORDS * 4, token: TOKEN_WORDS * 4 } as const

type FieldKind = keyof typeof sizes

export interface Layout<Name extends string> {
  /** Length of the body. */
  readonly bytes: number
  /** Offset of each field. */
  readonly at: Readonly<Record<Name, number>>
  readonly times: readonly number[]
  readonly counts: readonly number[]
}

function layoutOf<Name extends string> (fields: Readonly<Record<Name, FieldKind>>): Layout<Name> {
  const entries = Object.entries<FieldKind>(fields)
  const at: Record<string, number> = {}
  let bytes = 0
  for (const [name, kind] of entries) {
    at[name] = bytes
    bytes += sizes[kind]
  }
  const placesOf = (wanted: FieldKind): number[] => entries.filter(([, kind]) => kind === wanted).map(([name]) => at[name]!)
  return { bytes, at: at as Record<Name, number>, times: placesOf('time'), counts: placesOf('count') }
}

export const SESSION = layoutOf({
  client: 'address',
  clientPort: 'u16',
  target: 'u32',
  origin: 'u8',
  serial: 'u32',
  token: 'token',
  // 0 if it never had one.
  tokenExpiresAt: 'time',
  createdAt: 'time',
  lastSeen: 'time',
  datagramsToTarget: 'count',
  bytesToTarget: 'count',
  datagramsToClient: 'count',
  bytesToClient: 'count'
})

/** When a session was last seen: written now and then, in between its own images. */
export const SEEN = layoutOf({ lastSeen: 'time' })

export const FLOW = layoutOf({ session: 'u32', dataPort: 'u8', socket: 'u16', address: 'address', port: 'u16', local: 'u16' })

/** An address of this host that clients sent to, by its number in flows. */
export const LOCAL_ADDRESS = layoutOf({ address: 'address', zone: 'u32' })

export const TOKEN = layoutOf({ token: 'token', target: 'u32', consumed: 'u16', voidness: 'u8', expiresAt: 'time', client: 'address' })

export const UPSTREAM_PORT = layoutOf({ port: 'u16' })

/** In the byte of a session's origin: it has redeemed a token, at whatever target it is now. */
export const REDEEMED_FLAG = 0x80
