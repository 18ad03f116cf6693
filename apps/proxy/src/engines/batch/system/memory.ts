// Memory whose address the kernel is given. The garbage collector frees what nothing refers to, and does not know of the
// kernel's copy of an address: whoever keeps such an address keeps the Memory it belongs to, as long as it is in use.
import type { Libc } from './libc.js'

export class Memory {
  /** Where it starts, as the kernel sees it. User space ends below 2^53 on every 64-bit Linux, so a number is exact. */
  readonly address: number
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly words: Uint32Array<ArrayBuffer>
  readonly halves: Uint16Array<ArrayBuffer>

  /** @param byteLength a multiple of 8; zeroed */
  constructor (libc: Pick<Libc, 'addressOf'>, byteLength: number) {
    const buffer = new ArrayBuffer(byteLength)
    this.bytes = new Uint8Array(buffer)
    this.words = new Uint32Array(buffer)
    this.halves = new Uint16Array(buffer)
    this.address = libc.addressOf(this.bytes)
  }

  /** Writes a 64-bit pointer at `offset`, a multiple of 4 bytes. */
  writePointer (offset: number, pointer: number): void {
    this.words[offset >> 2] = pointer
    this.words[(offset >> 2) + 1] = pointer / 0x1_0000_0000
  }
}
