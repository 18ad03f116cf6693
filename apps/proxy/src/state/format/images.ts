// What is written of a core: the image of every record as it is now, by table and slot, laid out by layout.ts. Times
// are those of this life (moment.ts). The readers of these bodies are in saved-images.ts.
import { ADDRESS_WORDS } from '#wire/address.js'
import { TOKEN_WORDS } from '#wire/token.js'
import type { CoreState } from '../../core/datagrams/core-state.js'
import type { Changes } from '../../core/feed/changes.js'
import { Voidness } from '../../core/tables/token-table.js'
import type { ImageWriter } from './image-writer.js'
import { FLOW, ImageKind, LOCAL_ADDRESS, NOBODY, originByte, savedCounters, SEEN, SESSION, SESSION_PAST, TARGET, TOKEN, UPSTREAM_PORT } from './layout.js'

/** One kind of records: how many slots there may be, the feed of those that change, and how one is written. */
export interface ImageSource {
  readonly changes: Changes
  readonly highWater: () => number
  readonly isUsed: (slot: number) => boolean
  /** Writes the slot's image, an empty one if it is free. */
  readonly write: (writer: ImageWriter, slot: number) => void
}

export interface ImageOptions {
  /** Every shard has every token: those that nobody has redeemed are written by one of them. */
  readonly writesUnredeemed: boolean
}

/** Everything there is to write, targets before what refers to them. */
export function imageSources (state: CoreState, { writesUnredeemed }: ImageOptions): readonly ImageSource[] {
  const address = new Uint32Array(ADDRESS_WORDS)
  const token = new Uint32Array(TOKEN_WORDS)
  const past = new Float64Array(SESSION_PAST.names.length)
  const { sessions, flows, tokens, targets, upstreamPorts, locals } = state

  const writeToken = (writer: ImageWriter, slot: number): void => {
    // A void one counts as consumed nowhere; its former image, which says it was, must not outlive that.
    if (!writesUnredeemed && tokens.voidnessOf(slot) === Voidness.none && tokens.consumedOn(slot) === 0) return
    tokens.readToken(slot, token)
    TOKEN.begin(writer, slot)
      .token(token)
      .target(tokens.targetOf(slot))
      .consumed(tokens.consumedOn(slot))
      .voidness(tokens.voidnessOf(slot))
      .expiresAt(tokens.expiresAt(slot))
      .client(tokens.clientOf(slot) ?? NOBODY)
      .finish()
  }

  const writeLocal = (writer: ImageWriter, local: number): void => {
    const zone = locals.read(local, address)
    LOCAL_ADDRESS.begin(writer, local).address(address).zone(zone).finish()
  }

  const writeFlow = (writer: ImageWriter, flow: number): void => {
    const { words, port } = flows.endpoint(flow)
    FLOW.begin(writer, flow)
      .session(flows.session(flow))
      .dataPort(flows.dataPort(flow))
      .socket(flows.socket(flow))
      .address(words)
      .port(port)
      .local(flows.local(flow))
      .finish()
  }

  const writeSession = (writer: ImageWriter, slot: number): void => {
    sessions.readPast(slot, past)
    sessions.readClientWords(slot, address)
    const tokenExpiresAt = sessions.readToken(slot, token)
    SESSION.begin(writer, slot)
      .client(address)
      .clientPort(sessions.clientPort(slot))
      .target(sessions.target(slot))
      .origin(originByte(sessions.origin(slot), sessions.hasRedeemed(slot)))
      .token(token)
      .tokenExpiresAt(tokenExpiresAt)
      .lastSeen(state.lastSeen(slot))
      .group(SESSION_PAST, past)
      .finish()
  }

  return [
    source(ImageKind.target, targets, id => targets.find(id) !== undefined, (writer, id) => { writer.image(ImageKind.target, id, TARGET.encode(targets.get(id))) }),
    source(ImageKind.upstreamPort, { changes: upstreamPorts.changes, get highWater () { return upstreamPorts.slots } }, slot => upstreamPorts.atSlot(slot) > 0,
      (writer, slot) => { UPSTREAM_PORT.begin(writer, slot).port(upstreamPorts.atSlot(slot)).finish() }),
    source(ImageKind.localAddress, locals, local => locals.isUsed(local), writeLocal),
    source(ImageKind.token, tokens, slot => tokens.isKnown(slot), writeToken),
    source(ImageKind.session, sessions, slot => sessions.isLive(slot), writeSession),
    source(ImageKind.flow, flows, flow => flows.isUsed(flow), writeFlow)
  ]
}

function source (kind: ImageKind, table: { readonly changes: Changes, readonly highWater: number }, isUsed: (slot: number) => boolean, writeUsed: (writer: ImageWriter, slot: number) => void): ImageSource {
  return {
    changes: table.changes,
    highWater: () => table.highWater,
    isUsed,
    write: (writer, slot) => {
      if (isUsed(slot)) writeUsed(writer, slot)
      else writer.mark(kind, slot)
    }
  }
}

/** Writes when the session in `slot` was last seen. */
export function writeSeen (writer: ImageWriter, state: CoreState, slot: number): void {
  SEEN.begin(writer, slot).lastSeen(state.lastSeen(slot)).finish()
}

/** Writes the counters, each array as one image. */
export function writeCounters (writer: ImageWriter, { counters }: CoreState): void {
  for (const [slot, name] of savedCounters.entries()) {
    const values = counters[name]
    const body = writer.begin(ImageKind.counters, slot, values.length * 8)
    for (let index = 0; index < values.length; index++) writer.view.setFloat64(body + index * 8, values[index]!, true)
    writer.finish()
  }
}
