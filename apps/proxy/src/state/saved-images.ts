// Reads what images.ts writes. A log says the same slot again and again; only its last image counts.
import { formatAddress, ADDRESS_WORDS } from '#wire/address.js'
import { tokenFromWords, TOKEN_WORDS, type Token } from '#wire/token.js'
import type { Origin, SessionPast } from '../core/tables/session-table.js'
import type { TargetSpec } from '../core/tables/target-table.js'
import type { Voidness } from '../core/tables/token-table.js'
import { BATCH_HEAD_BYTES, IMAGE_HEAD_BYTES, ImageKind } from './image-writer.js'
import { NOBODY, savedCounters } from './images.js'
import { FLOW, LOCAL_ADDRESS, REDEEMED_FLAG, SESSION, TOKEN } from './layouts.js'

// Times are those of the life that wrote them.

export interface SavedSession {
  readonly client: Uint32Array
  readonly clientPort: number
  readonly targetId: number
  readonly origin: Origin
  /** Whether it has ever redeemed a token. */
  readonly hasRedeemed: boolean
  readonly token: Uint32Array
  /** 0 if it never had a token. */
  readonly tokenExpiresAt: number
  readonly lastSeen: number
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
  readonly expiresAt: number
  /** The address of the client it is bound to, the rest of its prefix zero. */
  readonly client: string | undefined
}

/** The latest image of everything in one shard's logs. */
export class SavedImages {
  readonly #view: DataView
  readonly #bytes: Uint8Array
  // By kind and slot: where the body starts.
  readonly #bodies = new Map<number, Map<number, number>>()
  readonly #targets = new Map<number, TargetSpec>()

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

  /** Slots of this kind that hold something, in ascending order. */
  slots (kind: ImageKind): Uint32Array {
    return Uint32Array.from(this.#bodies.get(kind)?.keys() ?? []).sort()
  }

  /** Undefined if the slot is free, as for all of these. Read once: very many tokens and sessions share a target. */
  target (id: number): TargetSpec | undefined {
    const known = this.#targets.get(id)
    if (known !== undefined) return known
    const at = this.#body(ImageKind.target, id)
    if (at === 0) return undefined
    const spec = JSON.parse(Buffer.from(this.#bytes.subarray(at, at + this.#lengthAt(at))).toString()) as TargetSpec
    this.#targets.set(id, spec)
    return spec
  }

  upstreamPort (slot: number): number {
    const at = this.#body(ImageKind.upstreamPort, slot)
    return at === 0 ? 0 : this.#view.getUint16(at, true)
  }

  session (slot: number): SavedSession | undefined {
    const body = this.#body(ImageKind.session, slot)
    if (body === 0) return undefined
    const { at } = SESSION
    const view = this.#view
    const double = (offset: number): number => view.getFloat64(body + offset, true)
    const origin = view.getUint8(body + at.origin)
    const seen = this.#body(ImageKind.seen, slot)
    return {
      client: this.#words(body + at.client, ADDRESS_WORDS),
      clientPort: view.getUint16(body + at.clientPort, true),
      targetId: view.getUint32(body + at.target, true),
      origin: (origin & ~REDEEMED_FLAG) as Origin,
      hasRedeemed: (origin & REDEEMED_FLAG) !== 0,
      token: this.#words(body + at.token, TOKEN_WORDS),
      tokenExpiresAt: double(at.tokenExpiresAt),
      // Whichever was written later; that of a former tenant of the slot is older than its present one.
      lastSeen: seen === 0 ? double(at.lastSeen) : Math.max(double(at.lastSeen), view.getFloat64(seen, true)),
      past: {
        serial: view.getUint32(body + at.serial, true),
        createdAt: double(at.createdAt),
        datagramsToTarget: double(at.datagramsToTarget),
        bytesToTarget: double(at.bytesToTarget),
        datagramsToClient: double(at.datagramsToClient),
        bytesToClient: double(at.bytesToClient)
      }
    }
  }

  flow (slot: number): SavedFlow | undefined {
    const body = this.#body(ImageKind.flow, slot)
    if (body === 0) return undefined
    const { at } = FLOW
    const words = this.#words(body + at.address, ADDRESS_WORDS)
    const address = formatAddress(words)
    return {
      session: this.#view.getUint32(body + at.session, true) - 1,
      dataPort: this.#view.getUint8(body + at.dataPort),
      socket: this.#view.getUint16(body + at.socket, true),
      target: { words, address, isIPv4: !address.includes(':') },
      port: this.#view.getUint16(body + at.port, true),
      local: this.#view.getUint16(body + at.local, true)
    }
  }

  localAddress (local: number): SavedLocalAddress | undefined {
    const body = this.#body(ImageKind.localAddress, local)
    const { at } = LOCAL_ADDRESS
    return body === 0 ? undefined : { words: this.#words(body + at.address, ADDRESS_WORDS), zone: this.#view.getUint32(body + at.zone, true) }
  }

  token (slot: number): SavedToken | undefined {
    const body = this.#body(ImageKind.token, slot)
    if (body === 0) return undefined
    const { at } = TOKEN
    const client = this.#words(body + at.client, ADDRESS_WORDS)
    return {
      token: tokenFromWords(this.#words(body + at.token, TOKEN_WORDS)),
      targetId: this.#view.getUint32(body + at.target, true) - 1,
      consumed: this.#view.getUint16(body + at.consumed, true),
      voidness: this.#view.getUint8(body + at.voidness) as Voidness,
      expiresAt: this.#view.getFloat64(body + at.expiresAt, true),
      client: client.every((word, index) => word === NOBODY[index]) ? undefined : formatAddress(client)
    }
  }

  /** The counters that there are, by name. */
  counters (): ReadonlyMap<typeof savedCounters[number], Float64Array> {
    return new Map([...this.slots(ImageKind.counters)].flatMap(slot => {
      const name = savedCounters[slot]
      const at = this.#body(ImageKind.counters, slot)
      const length = this.#lengthAt(at) / 8
      return name === undefined ? [] : [[name, Float64Array.from({ length }, (_, index) => this.#view.getFloat64(at + index * 8, true))]]
    }))
  }

  // Notes the image at `at` and returns where the next one starts.
  #note (at: number): number {
    const kind = this.#view.getUint8(at)
    const slot = this.#view.getUint32(at + 3, true)
    const body = at + IMAGE_HEAD_BYTES
    const length = this.#lengthAt(body)
    let bodies = this.#bodies.get(kind)
    if (bodies === undefined) this.#bodies.set(kind, bodies = new Map<number, number>())
    if (length === 0) bodies.delete(slot)
    else bodies.set(slot, body)
    return body + length
  }

  #body (kind: ImageKind, slot: number): number {
    return this.#bodies.get(kind)?.get(slot) ?? 0
  }

  // Of a body that starts at `at`.
  #lengthAt (at: number): number {
    return this.#view.getUint16(at - IMAGE_HEAD_BYTES + 1, true)
  }

  #words (at: number, count: number): Uint32Array {
    const words = new Uint32Array(count)
    for (let word = 0; word < count; word++) words[word] = this.#view.getUint32(at + word * 4, true)
    return words
  }
}

/** Whether one of these batches has such a mark, an image without a body. */
export function hasMark (batches: readonly Uint8Array[], mark: ImageKind): boolean {
  return batches.some(batch => {
    const view = new DataView(batch.buffer, batch.byteOffset, batch.length)
    for (let at = BATCH_HEAD_BYTES; at < batch.length; at += IMAGE_HEAD_BYTES + view.getUint16(at + 1, true)) if (view.getUint8(at) === mark) return true
    return false
  })
}
