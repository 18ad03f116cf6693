// Reads what images.ts writes. A log says the same slot again and again; only its last image counts.
import { formatAddress, ADDRESS_WORDS } from '#wire/address.js'
import { tokenFromWords, TOKEN_WORDS, type Token } from '#wire/token.js'
import type { Origin, SessionPast } from '../core/session-table.js'
import type { TargetSpec } from '../core/target-table.js'
import type { Voidness } from '../core/token-table.js'
import { NOBODY, REDEEMED_FLAG, savedCounters } from './images.js'
import { BATCH_HEAD_BYTES, IMAGE_HEAD_BYTES, ImageKind } from './image-writer.js'

export interface SavedSession {
  readonly client: Uint32Array
  readonly clientPort: number
  readonly targetId: number
  readonly origin: Origin
  /** Whether it has ever redeemed a token. */
  readonly hasRedeemed: boolean
  readonly token: Uint32Array
  /** 0 if it never had a token. */
  readonly tokenExpiresAtWallMs: number
  /** `createdAt` is a wall-clock time here. */
  readonly past: SessionPast
}

export interface SavedFlow {
  /** The session's slot; -1 if it lingers. */
  readonly session: number
  readonly dataPort: number
  readonly socket: number
  readonly target: { readonly words: Uint32Array, readonly address: string, readonly isIPv4: boolean }
  readonly port: number
  /** Number of the local address that its replies come from; 0 is none in particular. */
  readonly local: number
}

export interface SavedLocalAddress {
  readonly words: Uint32Array
  readonly zone: number
}

export interface SavedToken {
  readonly token: Token
  /** -1 for one that is void. */
  readonly targetId: number
  readonly consumed: number
  readonly voidness: Voidness
  readonly expiresAtWallMs: number
  /** The address of the client it is bound to, the rest of its prefix zero. */
  readonly client: string | undefined
}

/** When the last of these batches was written, on the wall clock, in ms. */
export function writtenAt (batches: readonly Uint8Array[]): number {
  const last = batches.at(-1)
  return last === undefined ? 0 : new DataView(last.buffer, last.byteOffset).getFloat64(0, true)
}

/** The latest image of everything in one shard's logs. */
export class SavedImages {
  readonly #view: DataView
  readonly #bytes: Uint8Array
  // By kind and slot: where the body starts.
  readonly #bodies = new Map<number, Map<number, number>>()
  /** @param batches that check-batch.ts has looked at */
  constructor (batches: readonly Uint8Array[]) {
    this.#bytes = Buffer.concat(batches)
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length)
    let at = 0
    for (const batch of batches) {
      const end = at + batch.length
      for (at += BATCH_HEAD_BYTES; at < end;) at = this.#note(at)
    }
  }

  get isComplete (): boolean { return this.#bodies.has(ImageKind.complete) }

  /** Slots of this kind that hold something, in ascending order. */
  * slots (kind: ImageKind): Iterable<number> {
    yield * Uint32Array.from(this.#bodies.get(kind)?.keys() ?? []).sort()
  }

  /** Undefined if the slot is free, as for all of these. */
  target (id: number): TargetSpec | undefined {
    const at = this.#body(ImageKind.target, id)
    if (at === 0) return undefined
    const length = this.#view.getUint16(at - IMAGE_HEAD_BYTES + 1, true)
    return JSON.parse(Buffer.from(this.#bytes.subarray(at, at + length)).toString()) as TargetSpec
  }

  upstreamPort (slot: number): number {
    const at = this.#body(ImageKind.upstreamPort, slot)
    return at === 0 ? 0 : this.#view.getUint16(at, true)
  }

  session (slot: number): SavedSession | undefined {
    const at = this.#body(ImageKind.session, slot)
    if (at === 0) return undefined
    const f64 = (offset: number): number => this.#view.getFloat64(at + offset, true)
    return {
      client: this.#words(at, ADDRESS_WORDS),
      clientPort: this.#view.getUint16(at + 16, true),
      targetId: this.#view.getUint32(at + 18, true),
      origin: (this.#view.getUint8(at + 22) & ~REDEEMED_FLAG) as Origin,
      hasRedeemed: (this.#view.getUint8(at + 22) & REDEEMED_FLAG) !== 0,
      token: this.#words(at + 27, TOKEN_WORDS),
      tokenExpiresAtWallMs: f64(43),
      past: {
        serial: this.#view.getUint32(at + 23, true),
        createdAt: f64(51),
        traffic: { datagramsToTarget: f64(59), bytesToTarget: f64(67), datagramsToClient: f64(75), bytesToClient: f64(83) }
      }
    }
  }

  flow (slot: number): SavedFlow | undefined {
    const at = this.#body(ImageKind.flow, slot)
    if (at === 0) return undefined
    const words = this.#words(at + 7, ADDRESS_WORDS)
    const address = formatAddress(words)
    return {
      session: this.#view.getUint32(at, true) - 1,
      dataPort: this.#view.getUint8(at + 4),
      socket: this.#view.getUint16(at + 5, true),
      target: { words, address, isIPv4: !address.includes(':') },
      port: this.#view.getUint16(at + 23, true),
      local: this.#view.getUint16(at + 25, true)
    }
  }

  localAddress (local: number): SavedLocalAddress | undefined {
    const at = this.#body(ImageKind.localAddress, local)
    return at === 0 ? undefined : { words: this.#words(at, ADDRESS_WORDS), zone: this.#view.getUint32(at + 16, true) }
  }

  token (slot: number): SavedToken | undefined {
    const at = this.#body(ImageKind.token, slot)
    if (at === 0) return undefined
    const client = this.#words(at + 31, ADDRESS_WORDS)
    return {
      token: tokenFromWords(this.#words(at, TOKEN_WORDS)),
      targetId: this.#view.getUint32(at + 16, true) - 1,
      consumed: this.#view.getUint16(at + 20, true),
      voidness: this.#view.getUint8(at + 22) as Voidness,
      expiresAtWallMs: this.#view.getFloat64(at + 23, true),
      client: client.every((word, at) => word === NOBODY[at]) ? undefined : formatAddress(client)
    }
  }

  /** The counters that there are, by name. */
  counters (): ReadonlyMap<typeof savedCounters[number], Float64Array> {
    return new Map([...this.slots(ImageKind.counters)].flatMap(slot => {
      const name = savedCounters[slot]
      const at = this.#body(ImageKind.counters, slot)
      const length = this.#view.getUint16(at - IMAGE_HEAD_BYTES + 1, true) / 8
      return name === undefined ? [] : [[name, Float64Array.from({ length }, (_, index) => this.#view.getFloat64(at + index * 8, true))]]
    }))
  }

  // Notes the image at `at` and returns where the next one starts.
  #note (at: number): number {
    const kind = this.#view.getUint8(at)
    const length = this.#view.getUint16(at + 1, true)
    const slot = this.#view.getUint32(at + 3, true)
    let bodies = this.#bodies.get(kind)
    if (bodies === undefined) this.#bodies.set(kind, bodies = new Map<number, number>())
    if (length === 0 && kind !== ImageKind.complete) bodies.delete(slot)
    else bodies.set(slot, at + IMAGE_HEAD_BYTES)
    return at + IMAGE_HEAD_BYTES + length
  }

  #body (kind: ImageKind, slot: number): number {
    return this.#bodies.get(kind)?.get(slot) ?? 0
  }

  #words (at: number, count: number): Uint32Array {
    return Uint32Array.from({ length: count }, (_, index) => this.#view.getUint32(at + index * 4, true))
  }
}
