// What one thread tells another to do, in memory that both share: the one never waits for the other, and what does not fit
// is not taken.
//
//   control   Int32: [0] bytes put in, [1] bytes taken out, both without bound; [2] the file that failed, [3] length of why
//   why       UTF-8, 256 bytes
//   ring      record │ record │ …      u32 what to do │ u32 file │ u32 length │ body; may go round the end
const PUT = 0
const TAKEN = 1
const FAILED_FILE = 2
const WHY_LENGTH = 3
const CONTROL_WORDS = 4

const WHY_BYTES = 256
const RECORD_HEAD_BYTES = 12

/** Room for some batches. A power of two: positions go round. */
const RING_BYTES = 2 * 1024 * 1024

export interface RingRecord {
  readonly op: number
  readonly file: number
  readonly body: Uint8Array
}

export class Ring {
  readonly memory: SharedArrayBuffer
  readonly #control: Int32Array
  readonly #why: Uint8Array
  readonly #bytes: Uint8Array
  readonly #head = new Uint8Array(RECORD_HEAD_BYTES)
  readonly #headView = new DataView(this.#head.buffer)

  constructor (memory = new SharedArrayBuffer(CONTROL_WORDS * 4 + WHY_BYTES + RING_BYTES)) {
    this.memory = memory
    this.#control = new Int32Array(memory, 0, CONTROL_WORDS)
    this.#why = new Uint8Array(memory, CONTROL_WORDS * 4, WHY_BYTES)
    this.#bytes = new Uint8Array(memory, CONTROL_WORDS * 4 + WHY_BYTES, RING_BYTES)
  }

  /** Bytes put in and not taken out yet, heads of records included. */
  get waiting (): number {
    return (Atomics.load(this.#control, PUT) - Atomics.load(this.#control, TAKEN)) | 0
  }

  /** The longest body there is room for. */
  get room (): number {
    return Math.max(0, RING_BYTES - this.waiting - RECORD_HEAD_BYTES)
  }

  /** Puts a record in. False if there is no room for it. */
  put (op: number, file: number, body: Uint8Array): boolean {
    if (body.length > this.room) return false
    this.#headView.setUint32(0, op)
    this.#headView.setUint32(4, file)
    this.#headView.setUint32(8, body.length)
    const at = Atomics.load(this.#control, PUT)
    this.#write(at, this.#head)
    this.#write(at + RECORD_HEAD_BYTES, body)
    Atomics.store(this.#control, PUT, at + RECORD_HEAD_BYTES + body.length | 0)
    return true
  }

  /** The next record; `drop` takes it out once it is done. */
  peek (): RingRecord | undefined {
    if (this.waiting === 0) return undefined
    const at = Atomics.load(this.#control, TAKEN)
    const head = this.#read(at, RECORD_HEAD_BYTES)
    const view = new DataView(head.buffer, head.byteOffset)
    return { op: view.getUint32(0), file: view.getUint32(4), body: this.#read(at + RECORD_HEAD_BYTES, view.getUint32(8)) }
  }

  drop ({ body }: RingRecord): void {
    Atomics.add(this.#control, TAKEN, RECORD_HEAD_BYTES + body.length)
    Atomics.notify(this.#control, TAKEN)
  }

  /** Waits until something was taken out, or `timeoutMs`. */
  wait (timeoutMs: number): void {
    if (this.waiting > 0) Atomics.wait(this.#control, TAKEN, Atomics.load(this.#control, TAKEN), timeoutMs)
  }

  /** Says that nothing more can be done with a file, and why. */
  fail (file: number, why: string): void {
    const { written } = new TextEncoder().encodeInto(why, this.#why)
    Atomics.store(this.#control, WHY_LENGTH, written)
    Atomics.store(this.#control, FAILED_FILE, file)
  }

  /** Why nothing more can be done with this file, if so. */
  failureOf (file: number): string | undefined {
    if (Atomics.load(this.#control, FAILED_FILE) !== file) return undefined
    return Buffer.from(this.#why.slice(0, Atomics.load(this.#control, WHY_LENGTH))).toString()
  }

  #write (position: number, bytes: Uint8Array): void {
    const at = position & RING_BYTES - 1
    const first = Math.min(bytes.length, RING_BYTES - at)
    this.#bytes.set(first === bytes.length ? bytes : bytes.subarray(0, first), at)
    if (first < bytes.length) this.#bytes.set(bytes.subarray(first), 0)
  }

  #read (position: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    const at = position & RING_BYTES - 1
    const first = Math.min(length, RING_BYTES - at)
    bytes.set(this.#bytes.subarray(at, at + first))
    if (first < length) bytes.set(this.#bytes.subarray(0, length - first), first)
    return bytes
  }
}
