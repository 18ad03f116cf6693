// What is written of a core: the image of every record as it is now, by table and slot, in the order of layouts.ts. Times
// are those of this life (moment.ts). The readers of these bodies are in saved-images.ts.
import { ADDRESS_WORDS } from '#wire/address.js'
import { TOKEN_WORDS } from '#wire/token.js'
import type { CoreState } from '../core/datagrams/core-state.js'
import type { Changes } from '../core/feed/changes.js'
import { Voidness } from '../core/tables/token-table.js'
import { ImageKind, type ImageWriter } from './image-writer.js'
import { FLOW, LOCAL_ADDRESS, REDEEMED_FLAG, SEEN, SESSION, TOKEN, UPSTREAM_PORT } from './layouts.js'

/** In place of the client that a token is bound to: no prefix is like this. Zeros would be that of ::1. */
export const NOBODY = new Uint32Array(ADDRESS_WORDS).fill(0xffff_ffff)

/** The counters that a restart must not set back, in the order of their slots. */
export const savedCounters = ['received', 'proxied', 'bytes', 'dropped', 'consumed', 'redeemed', 'sessionsCreated', 'sessionsReset', 'sessionsEnded', 'targetsGone'] as const

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
  const { sessions, flows, tokens, targets, upstreamPorts, locals } = state

  const writeTarget = (writer: ImageWriter, id: number): void => {
    const target = targets.find(id)
    if (target === undefined) { writer.mark(ImageKind.target, id); return }
    const text = Buffer.from(JSON.stringify({ key: target.key, address: target.address, ports: target.ports }))
    writer.begin(ImageKind.target, id, text.length)
    writer.raw(text)
    writer.finish()
  }

  const writePort = (writer: ImageWriter, slot: number): void => {
    writer.begin(ImageKind.upstreamPort, slot, UPSTREAM_PORT.bytes)
    if (upstreamPorts.atSlot(slot) > 0) writer.u16(upstreamPorts.atSlot(slot))
    writer.finish()
  }

  const writeLocal = (writer: ImageWriter, local: number): void => {
    if (!locals.isUsed(local)) { writer.mark(ImageKind.localAddress, local); return }
    const zone = locals.read(local, address)
    writer.begin(ImageKind.localAddress, local, LOCAL_ADDRESS.bytes)
    writer.words(address)
    writer.u32(zone)
    writer.finish()
  }

  const writeToken = (writer: ImageWriter, slot: number): void => {
    if (!tokens.isKnown(slot)) { writer.mark(ImageKind.token, slot); return }
    // A void one counts as consumed nowhere; its former image, which says it was, must not outlive that.
    if (!writesUnredeemed && tokens.voidnessOf(slot) === Voidness.none && tokens.consumedOn(slot) === 0) return
    tokens.readToken(slot, token)
    writer.begin(ImageKind.token, slot, TOKEN.bytes)
    writer.words(token)
    writer.u32(tokens.targetOf(slot) + 1)
    writer.u16(tokens.consumedOn(slot))
    writer.u8(tokens.voidnessOf(slot))
    writer.f64(tokens.expiresAt(slot))
    writer.words(tokens.clientOf(slot) ?? NOBODY)
    writer.finish()
  }

  const writeFlow = (writer: ImageWriter, flow: number): void => {
    if (!flows.isUsed(flow)) { writer.mark(ImageKind.flow, flow); return }
    const endpoint = flows.endpoint(flow)
    writer.begin(ImageKind.flow, flow, FLOW.bytes)
    writer.u32(flows.session(flow) + 1)
    writer.u8(flows.dataPort(flow))
    writer.u16(flows.socket(flow))
    writer.words(endpoint.words)
    writer.u16(endpoint.port)
    writer.u16(flows.local(flow))
    writer.finish()
  }

  const writeSession = (writer: ImageWriter, slot: number): void => {
    if (!sessions.isLive(slot)) { writer.mark(ImageKind.session, slot); return }
    const traffic = sessions.traffic(slot)
    sessions.readClientWords(slot, address)
    const tokenExpiresAt = sessions.readToken(slot, token)
    writer.begin(ImageKind.session, slot, SESSION.bytes)
    writer.words(address)
    writer.u16(sessions.clientPort(slot))
    writer.u32(sessions.target(slot))
    writer.u8(sessions.origin(slot) | (sessions.hasRedeemed(slot) ? REDEEMED_FLAG : 0))
    writer.u32(sessions.serial(slot))
    writer.words(token)
    writer.f64(tokenExpiresAt)
    writer.f64(sessions.createdAt(slot))
    writer.f64(state.lastSeen(slot))
    writer.f64(traffic.datagramsToTarget)
    writer.f64(traffic.bytesToTarget)
    writer.f64(traffic.datagramsToClient)
    writer.f64(traffic.bytesToClient)
    writer.finish()
  }

  return [
    { changes: targets.changes, highWater: () => targets.highWater, isUsed: id => targets.find(id) !== undefined, write: writeTarget },
    { changes: upstreamPorts.changes, highWater: () => upstreamPorts.slots, isUsed: slot => upstreamPorts.atSlot(slot) > 0, write: writePort },
    { changes: locals.changes, highWater: () => locals.highWater, isUsed: local => locals.isUsed(local), write: writeLocal },
    { changes: tokens.changes, highWater: () => tokens.highWater, isUsed: slot => tokens.isKnown(slot), write: writeToken },
    { changes: sessions.changes, highWater: () => sessions.highWater, isUsed: slot => sessions.isLive(slot), write: writeSession },
    { changes: flows.changes, highWater: () => flows.highWater, isUsed: flow => flows.isUsed(flow), write: writeFlow }
  ]
}

/** Writes when the session in `slot` was last seen. */
export function writeSeen (writer: ImageWriter, state: CoreState, slot: number): void {
  writer.begin(ImageKind.seen, slot, SEEN.bytes)
  writer.f64(state.lastSeen(slot))
  writer.finish()
}

/** Writes the counters, each array as one image. */
export function writeCounters (writer: ImageWriter, { counters }: CoreState): void {
  for (const [slot, name] of savedCounters.entries()) {
    const values = counters[name]
    writer.begin(ImageKind.counters, slot, values.length * 8)
    for (const value of values) writer.f64(value)
    writer.finish()
  }
}
