// Datagrams on their way out, gathered by socket so that a batch leaves in as few sendmmsg calls as it has sockets. The
// data stays in the ring; here are destinations and the order. Per socket, datagrams leave in the order they came.
//
//   heads   socket 7 ──▶ slot 0 ──▶ slot 3 ──▶ slot 4        lists through #next
//           socket 2 ──▶ slot 1
//   headers │ 0 │ 3 │ 4 │ 1 │                                one sendmmsg for 0 3 4, one for 1
import { constants } from 'node:os'
import type { Libc } from './libc.js'
import { MessageHeaders } from './message-headers.js'
import type { ReceiveRing } from './receive-ring.js'
import { sockaddrLength, writeSockaddr, type Family } from './socket-address.js'

const { EAGAIN, ECONNREFUSED, EINTR, EMSGSIZE, ENOBUFS } = constants.errno
const NONE = -1

/** A socket to send from. `id` is small and its own while it is open. */
export interface Outlet {
  readonly id: number
  readonly fd: number
  readonly family: Family
}

/** What became of a datagram: sent, or why not. */
export type Fate = 'sent' | 'queue_full' | 'too_long' | 'failed'

/** Hears the fate of the datagram in `slot`; `tag` is what was given with it. */
export type OnFate = (fate: Fate, tag: number, bytes: number) => void

export class SendQueue {
  readonly #libc: Libc
  readonly #ring: ReceiveRing
  readonly #headers: MessageHeaders
  readonly #onFate: OnFate
  readonly #next: Int32Array
  readonly #tags: Uint32Array
  readonly #order: Int32Array
  // By outlet id; first and last slot of its list.
  readonly #first: number[] = []
  readonly #last: number[] = []
  readonly #outlets: Outlet[] = []

  constructor (libc: Libc, ring: ReceiveRing, onFate: OnFate) {
    this.#libc = libc
    this.#ring = ring
    this.#onFate = onFate
    this.#headers = new MessageHeaders(libc, ring.capacity)
    this.#next = new Int32Array(ring.capacity)
    this.#tags = new Uint32Array(ring.capacity)
    this.#order = new Int32Array(ring.capacity)
    for (let slot = 0; slot < ring.capacity; slot++) this.#headers.setData(slot, ring.pointer(slot))
  }

  /** Queues the datagram in `slot` of the ring, for this address. */
  add (slot: number, outlet: Outlet, words: Uint32Array, port: number, tag: number): void {
    const { addresses } = this.#headers
    writeSockaddr(addresses, this.#headers.addressOffset(slot), outlet.family, words, port)
    this.#headers.setDataLength(slot, this.#ring.length(slot))
    this.#tags[slot] = tag
    this.#next[slot] = NONE
    const { id } = outlet
    if ((this.#first[id] ?? NONE) === NONE) {
      this.#first[id] = slot
      this.#outlets.push(outlet)
    } else this.#next[this.#last[id]!] = slot
    this.#last[id] = slot
  }

  /** Sends everything that is queued, and tells the fate of each. */
  flush (): void {
    for (const outlet of this.#outlets) {
      const count = this.#lineUp(outlet)
      this.#send(outlet.fd, count)
    }
    this.#outlets.length = 0
  }

  // Makes the headers from 0 on those of the outlet's datagrams.
  #lineUp ({ id, family }: Outlet): number {
    const addressLength = sockaddrLength(family)
    let count = 0
    for (let slot = this.#first[id]!; slot !== NONE; slot = this.#next[slot]!) {
      this.#order[count] = slot
      this.#headers.pointTo(count, slot)
      this.#headers.setAddressLength(count, addressLength)
      count++
    }
    this.#first[id] = NONE
    return count
  }

  #send (fd: number, count: number): void {
    let done = 0
    while (done < count) {
      const sent = this.#libc.sendmmsg(fd, this.#headers.pointer(done), count - done)
      if (sent > 0) {
        this.#tell('sent', done, done + sent)
        done += sent
      } else if (sent === -EAGAIN || sent === -ENOBUFS) {
        // The kernel takes no more now, of none of them; whoever sends datagrams expects that some are lost.
        this.#tell('queue_full', done, count)
        return
      } else if (sent !== -EINTR && sent !== -ECONNREFUSED) {
        this.#tell(sent === -EMSGSIZE ? 'too_long' : 'failed', done, done + 1)
        done++
      }
    }
  }

  #tell (fate: Fate, from: number, to: number): void {
    for (let index = from; index < to; index++) {
      const slot = this.#order[index]!
      this.#onFate(fate, this.#tags[slot]!, this.#ring.length(slot))
    }
  }
}
