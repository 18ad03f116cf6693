// Many messages for one system call, as the load generator and the sink need them: with room for control data, and with
// parts that messages share. The layout of `struct mmsghdr` is drawn in the batch engine's message-headers.ts.
import type { Libc } from '../../apps/proxy/src/engines/batch/system/libc.js'
import { Memory } from '../../apps/proxy/src/engines/batch/system/memory.js'

const HEADER_BYTES = 64
const HEADER_WORDS = HEADER_BYTES / 4
const IOVEC_BYTES = 16

/** A piece of memory that a message points to. */
export interface Piece {
  readonly address: number
  readonly bytes: number
}

export class MessageBlock {
  readonly #headers: Memory
  readonly #iovecs: Memory
  readonly #isShared: boolean

  /** @param sharesData whether all messages have the same data, which is then that of message 0 */
  constructor (libc: Libc, count: number, sharesData: boolean) {
    this.#isShared = sharesData
    this.#headers = new Memory(libc, count * HEADER_BYTES)
    this.#iovecs = new Memory(libc, (sharesData ? 1 : count) * IOVEC_BYTES)
    for (let message = 0; message < count; message++) {
      this.#headers.writePointer(message * HEADER_BYTES + 16, this.#iovecs.address + (sharesData ? 0 : message * IOVEC_BYTES))
      this.#headers.words[message * HEADER_WORDS + 24 / 4] = 1
    }
  }

  /** Where the header of `message` is, for a call that starts with it. */
  pointer (message: number): number {
    return this.#headers.address + message * HEADER_BYTES
  }

  setName (message: number, { address, bytes }: Piece): void {
    this.#headers.writePointer(message * HEADER_BYTES, address)
    this.#headers.words[message * HEADER_WORDS + 8 / 4] = bytes
  }

  setData (message: number, { address, bytes }: Piece): void {
    const offset = this.#isShared ? 0 : message * IOVEC_BYTES
    this.#iovecs.writePointer(offset, address)
    this.#iovecs.words[(offset + 8) / 4] = bytes
  }

  setControl (message: number, { address, bytes }: Piece): void {
    this.#headers.writePointer(message * HEADER_BYTES + 32, address)
    this.#headers.words[message * HEADER_WORDS + 40 / 4] = bytes
  }

  /** How many bytes the kernel received. */
  length (message: number): number {
    return this.#headers.words[message * HEADER_WORDS + 56 / 4]!
  }
}
