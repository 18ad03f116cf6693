// A UDP socket that reads and writes the marks of IP headers, which Node's cannot: made of the engine's own parts.
import { until } from '#testkit/patience.js'
import { addressWords } from '#wire/address.js'
import { LocalAddresses } from '../../src/core/datagrams/local-addresses.js'
import type { Libc } from '../../src/engines/batch/system/libc.js'
import { Memory } from '../../src/engines/batch/system/memory.js'
import { ReceiveRing } from '../../src/engines/batch/receive-ring.js'
import { SendQueue } from '../../src/engines/batch/send-queue.js'
import { familyOf, UdpSockets } from '../../src/engines/batch/system/udp-socket.js'

export interface MarkedDatagram {
  readonly text: string
  readonly mark: number
  readonly words: Uint32Array
  readonly port: number
}

const SLOTS = 64

export class MarkedPeer {
  readonly #sockets: UdpSockets
  readonly #ring: ReceiveRing
  readonly #queue: SendQueue
  readonly #outgoing: Memory
  readonly #lengths: number[] = []
  readonly #fd: number
  readonly #address: Uint32Array
  readonly #isIPv4: boolean
  readonly port: number

  /** Opens and binds it; a port of the system's choice. */
  constructor (libc: Libc, address: string) {
    this.#address = addressWords(address)!
    this.#isIPv4 = !address.includes(':')
    this.#sockets = new UdpSockets(libc)
    this.#ring = new ReceiveRing(libc, SLOTS)
    this.#outgoing = new Memory(libc, SLOTS * 2048)
    const slots = { capacity: SLOTS, length: (slot: number) => this.#lengths[slot]!, pointer: (slot: number) => this.#outgoing.address + slot * 2048 }
    this.#queue = new SendQueue(libc, slots, new LocalAddresses(0), fate => { if (fate !== 'sent') throw new Error(`a peer's datagram: ${fate}`) })
    this.#fd = this.#sockets.open(familyOf(this.#isIPv4))
    this.#sockets.askMarks(this.#fd, familyOf(this.#isIPv4), 0)
    this.#sockets.bind(this.#fd, familyOf(this.#isIPv4), this.#address, 0)
    this.port = this.#sockets.port(this.#fd)
  }

  /** Sends them in one call, each with its mark. */
  send (datagrams: ReadonlyArray<readonly [data: string | Uint8Array, mark: number]>, port: number, words = this.#address): void {
    for (const [slot, [data, mark]] of datagrams.entries()) {
      const bytes = Buffer.from(data)
      this.#outgoing.bytes.set(bytes, slot * 2048)
      this.#lengths[slot] = bytes.length
      this.#queue.add(slot, { id: 0, fd: this.#fd, family: familyOf(this.#isIPv4) }, words, port, mark, 0, 0)
    }
    this.#queue.flush()
  }

  /** The next `count` datagrams. */
  async receive (count: number): Promise<MarkedDatagram[]> {
    const got: MarkedDatagram[] = []
    await until(() => {
      this.#ring.receive(this.#fd, count - got.length)
      for (let slot = 0; slot < this.#ring.used; slot++) {
        const words = new Uint32Array(4)
        const port = this.#ring.readSource(slot, words)
        const start = this.#ring.start(slot)
        got.push({ text: Buffer.from(this.#ring.data.bytes.subarray(start, start + this.#ring.length(slot))).toString(), mark: this.#ring.mark(slot), words, port })
      }
      this.#ring.clear()
      return got.length >= count
    }, { what: () => `${count} datagrams: there are ${got.length}` })
    return got
  }

  close (): void { this.#sockets.close(this.#fd) }
}
