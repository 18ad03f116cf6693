// What became of the latest datagrams, as numbers, for whoever reads them after the turn: LOG_LEVEL=trace. The packet path
// writes a record and formats nothing; when nobody has read for too long, the rest is only counted.
import { ADDRESS_WORDS } from '#wire/address.js'
import type { Direction } from './counters.js'

const CAPACITY = 512

//   word  0 direction   1 data port   2 verdict   3 bytes   4–7 source address   8 source port
const SOURCE = 4
const PORT = SOURCE + ADDRESS_WORDS
const STRIDE = PORT + 1

/** One decision; valid during the call only. */
export interface Decision {
  readonly direction: Direction
  readonly dataPort: number
  /** As the packet path returned it. */
  readonly verdict: number
  readonly bytes: number
  readonly sourceWords: Int32Array
  readonly sourcePort: number
}

export class TraceRing {
  readonly #records = new Int32Array(CAPACITY * STRIDE)
  #size = 0
  #leftOut = 0

  note (direction: Direction, dataPort: number, verdict: number, bytes: number, words: Uint32Array, port: number): void {
    if (this.#size === CAPACITY) {
      this.#leftOut++
      return
    }
    const base = this.#size++ * STRIDE
    this.#records[base] = direction
    this.#records[base + 1] = dataPort
    this.#records[base + 2] = verdict
    this.#records[base + 3] = bytes
    for (let word = 0; word < ADDRESS_WORDS; word++) this.#records[base + SOURCE + word] = words[word]!
    this.#records[base + PORT] = port
  }

  /** Hands over what has been noted since the last time, the oldest first. Returns how many decisions found no room. */
  drain (take: (decision: Decision) => void): number {
    for (let record = 0; record < this.#size; record++) {
      const [direction, dataPort, verdict, bytes] = this.#records.subarray(record * STRIDE, record * STRIDE + SOURCE)
      take({
        direction: direction as Direction,
        dataPort: dataPort!,
        verdict: verdict!,
        bytes: bytes!,
        sourceWords: this.#records.subarray(record * STRIDE + SOURCE, record * STRIDE + PORT),
        sourcePort: this.#records[record * STRIDE + PORT]!
      })
    }
    const leftOut = this.#leftOut
    this.#size = 0
    this.#leftOut = 0
    return leftOut
  }
}
