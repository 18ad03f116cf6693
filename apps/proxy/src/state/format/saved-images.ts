// Reads what images.ts writes. A log says the same slot again and again; only its last image counts. Times are those of the
// life that wrote them.
import type { TargetSpec } from '../../core/tables/target-table.js'
import { BATCH_HEAD_BYTES, IMAGE_HEAD_BYTES, ImageKind, savedCounters, TARGET } from './layout.js'

/** The latest image of everything in one shard's logs. */
export class SavedImages {
  /** What the layouts read: all batches, one after the other. */
  readonly view: DataView
  readonly #bytes: Uint8Array
  readonly #bodies: ReadonlyMap<number, Bodies>
  readonly #targets = new Map<number, TargetSpec>()

  /** @param batches that check-batch.ts has looked at */
  constructor (batches: readonly Uint8Array[]) {
    this.#bytes = Buffer.concat(batches)
    this.view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length)
    const sizes = new Map<number, { images: number, highWater: number }>()
    this.#eachImage(batches, (kind, slot) => {
      const size = sizes.get(kind)
      if (size === undefined) sizes.set(kind, { images: 1, highWater: slot + 1 })
      else {
        size.images++
        if (slot >= size.highWater) size.highWater = slot + 1
      }
    })
    this.#bodies = new Map(Array.from(sizes, ([kind, { images, highWater }]) => [kind, bodiesFor(images, highWater)]))
    this.#eachImage(batches, (kind, slot, body, length) => { this.#bodies.get(kind)!.set(slot, length === 0 ? 0 : body) })
  }

  /** Slots of this kind that hold something, in ascending order. */
  slots (kind: number): Uint32Array {
    return this.#bodies.get(kind)?.slots() ?? new Uint32Array()
  }

  /** Where in `view` the body of a slot starts; 0 if the slot is free. */
  body (kind: number, slot: number): number {
    return this.#bodies.get(kind)?.get(slot) ?? 0
  }

  /** Undefined if there is none with this id. Read once: very many tokens and sessions share a target. */
  target (id: number): TargetSpec | undefined {
    const known = this.#targets.get(id)
    if (known !== undefined) return known
    const body = this.body(ImageKind.target, id)
    if (body === 0) return undefined
    const spec = TARGET.decode(this.#bytes.subarray(body, body + this.#lengthAt(body)))
    this.#targets.set(id, spec)
    return spec
  }

  /** The counters that there are, by name. */
  counters (): ReadonlyMap<typeof savedCounters[number], Float64Array> {
    return new Map([...this.slots(ImageKind.counters)].flatMap(slot => {
      const name = savedCounters[slot]
      const body = this.body(ImageKind.counters, slot)
      const length = this.#lengthAt(body) / 8
      return name === undefined ? [] : [[name, Float64Array.from({ length }, (_, index) => this.view.getFloat64(body + index * 8, true))]]
    }))
  }

  #eachImage (batches: readonly Uint8Array[], see: (kind: number, slot: number, body: number, length: number) => void): void {
    let at = 0
    for (const batch of batches) {
      const end = at + batch.length
      for (at += BATCH_HEAD_BYTES; at < end;) {
        const body = at + IMAGE_HEAD_BYTES
        const length = this.#lengthAt(body)
        see(this.view.getUint8(at), this.view.getUint32(at + 3, true), body, length)
        at = body + length
      }
    }
  }

  // Of a body that starts at `body`.
  #lengthAt (body: number): number {
    return this.view.getUint16(body - IMAGE_HEAD_BYTES + 1, true)
  }
}

// Where the body of each slot starts; 0 for none.
interface Bodies {
  readonly set: (slot: number, body: number) => void
  readonly get: (slot: number) => number
  /** In ascending order. */
  readonly slots: () => Uint32Array
}

// Slots are of a table, and most of a table is used; but what a log says of them may be anything.
function bodiesFor (images: number, highWater: number): Bodies {
  return highWater <= images * 8 + 1024 ? denseBodies(highWater) : sparseBodies()
}

function denseBodies (highWater: number): Bodies {
  const bodies = new Uint32Array(highWater)
  return {
    set: (slot, body) => { bodies[slot] = body },
    get: slot => bodies[slot] ?? 0,
    slots: () => Uint32Array.from(bodies.keys()).filter(slot => bodies[slot] !== 0)
  }
}

function sparseBodies (): Bodies {
  const bodies = new Map<number, number>()
  return {
    set: (slot, body) => { bodies.set(slot, body) },
    get: slot => bodies.get(slot) ?? 0,
    slots: () => Uint32Array.from(bodies.keys()).filter(slot => bodies.get(slot) !== 0).sort()
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
