// Datagrams on their way out, gathered by socket so that a batch leaves in as few sendmmsg calls as it has sockets. The
// data stays in the ring; here are destinations and the order. Per socket, datagrams leave in the order they came.
//
//   heads    socket 7 ──▶ slot 0 ──▶ slot 3 ──▶ slot 4        lists through #next
//            socket 2 ──▶ slot 1
//   headers  │ 0 │ 3–4 │ 1 │                                 one sendmmsg for 0 and 3–4, one for 1
//
// Neighbours in the ring that go to one address, from one address, with one mark, and have one length (the last may be shorter) are one header:
// the kernel takes them through its stack once and cuts them apart at the end (UDP_SEGMENT). Game servers send a client's
// share of a tick like that.
import { constants } from 'node:os'
import { ADDRESS_WORDS } from '#wire/address.js'
import { NO_LOCAL, type LocalAddresses } from '../../core/datagrams/local-addresses.js'
import type { Libc } from './system/libc.js'
import { MessageHeaders } from './system/message-headers.js'
import type { ReceiveRing } from './receive-ring.js'
import { isIPv4Sockaddr, isSameSockaddr, sockaddrLength, writeSockaddr, type Family } from './system/socket-address.js'

const { EAGAIN, ECONNREFUSED, EINTR, EINVAL, EIO, EMSGSIZE, ENOBUFS } = constants.errno
const NONE = -1

const MARK_BITS = 0xff
const LOCAL_SHIFT = 8

/** UDP_MAX_SEGMENTS of the first kernels that have it (Linux 4.18), and what one of them may carry in all. */
const MAX_SEGMENTS = 64
const MAX_SEGMENTED_BYTES = 65_000

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

/** Where the datagrams are. */
export type Slots = Pick<ReceiveRing, 'capacity' | 'length' | 'pointer'>

export class SendQueue {
  readonly #libc: Libc
  readonly #ring: Slots
  readonly #headers: MessageHeaders
  readonly #onFate: OnFate
  readonly #next: Int32Array
  readonly #tags: Uint32Array
  // What the kernel is told beside each: its mark, and from the ninth bit on the number of the address it comes from.
  readonly #asides: Uint32Array
  readonly #locals: LocalAddresses
  readonly #from = new Uint32Array(ADDRESS_WORDS)
  readonly #usualMark: number
  // By header: its first slot, and how many it has.
  readonly #slots: Int32Array
  readonly #counts: Int32Array
  // By outlet id; first and last slot of its list.
  readonly #first: number[] = []
  readonly #last: number[] = []
  readonly #outlets: Outlet[] = []
  // 1 once the kernel could not cut datagrams apart: it is not asked again.
  #maxSegments = MAX_SEGMENTS

  /** @param usualMark what the sockets put into the IP header when they are told nothing else */
  constructor (libc: Libc, ring: Slots, locals: LocalAddresses, onFate: OnFate, usualMark = 0) {
    this.#libc = libc
    this.#ring = ring
    this.#onFate = onFate
    this.#headers = new MessageHeaders(libc, ring.capacity)
    this.#next = new Int32Array(ring.capacity)
    this.#tags = new Uint32Array(ring.capacity)
    this.#asides = new Uint32Array(ring.capacity)
    this.#locals = locals
    this.#usualMark = usualMark
    this.#slots = new Int32Array(ring.capacity)
    this.#counts = new Int32Array(ring.capacity)
    for (let slot = 0; slot < ring.capacity; slot++) this.#headers.setData(slot, ring.pointer(slot))
  }

  /**
   * Queues the datagram in `slot` of the ring, for this address.
   * @param mark DSCP and ECN of its IP header
   * @param local number of the address that it comes from; NO_LOCAL leaves it to the kernel
   * @param tag comes back with its fate
   */
  add (slot: number, outlet: Outlet, words: Uint32Array, port: number, mark: number, local: number, tag: number): void {
    const { addresses } = this.#headers
    writeSockaddr(addresses, this.#headers.addressOffset(slot), outlet.family, words, port)
    this.#headers.setDataLength(slot, this.#ring.length(slot))
    this.#tags[slot] = tag
    this.#asides[slot] = mark | local << LOCAL_SHIFT
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
      const first = this.#first[outlet.id]!
      this.#first[outlet.id] = NONE
      const count = this.#lineUp(first, outlet.family, this.#maxSegments)
      this.#send(outlet, count)
    }
    this.#outlets.length = 0
  }

  // Makes the headers from 0 on those of the list that starts with `first`, and returns how many they are.
  #lineUp (first: number, family: Family, maxSegments: number): number {
    const addressLength = sockaddrLength(family)
    let header = 0
    for (let slot = first; slot !== NONE; header++) {
      const count = maxSegments > 1 && this.#next[slot] === slot + 1 ? this.#runLength(slot, family, maxSegments) : 1
      this.#slots[header] = slot
      this.#counts[header] = count
      this.#headers.pointTo(header, slot)
      this.#headers.setAddressLength(header, addressLength)
      this.#headers.setCount(header, count)
      this.#headers.setControlLength(header, this.#control(header, slot, family, count))
      slot = this.#next[slot + count - 1]!
    }
    return header
  }

  // Writes what the kernel is told beside the datagram, most often nothing.
  #control (header: number, slot: number, family: Family, count: number): number {
    const aside = this.#asides[slot]!
    if (aside === this.#usualMark && count === 1) return 0
    const mark = aside & MARK_BITS
    const local = aside >>> LOCAL_SHIFT
    const zone = local === NO_LOCAL ? 0 : this.#locals.read(local, this.#from)
    const isIPv4 = isIPv4Sockaddr(this.#headers.addresses, family, this.#headers.addressOffset(slot))
    return this.#headers.controls.write(header, isIPv4, mark === this.#usualMark ? -1 : mark, local === NO_LOCAL ? undefined : this.#from, zone, count > 1 ? this.#ring.length(slot) : 0)
  }

  // How many datagrams from `first` on can go as one.
  #runLength (first: number, family: Family, maxSegments: number): number {
    const { addresses } = this.#headers
    const length = this.#ring.length(first)
    if (length === 0) return 1
    const most = Math.min(maxSegments, Math.floor(MAX_SEGMENTED_BYTES / length))
    let count = 1
    while (count < most && this.#next[first + count - 1] === first + count) {
      const slot = first + count
      const bytes = this.#ring.length(slot)
      if (bytes === 0 || bytes > length || this.#asides[slot] !== this.#asides[first] || !isSameSockaddr(addresses, family, this.#headers.addressOffset(slot), this.#headers.addressOffset(first))) break
      count++
      if (bytes < length) break
    }
    return count
  }

  #send (outlet: Outlet, count: number): void {
    let done = 0
    while (done < count) {
      const sent = this.#libc.sendmmsg(outlet.fd, this.#headers.pointer(done), count - done)
      if (sent > 0) {
        this.#tell('sent', done, done + sent)
        done += sent
      } else if (sent === -EAGAIN || sent === -ENOBUFS) {
        // The kernel takes no more now, of none of them; whoever sends datagrams expects that some are lost.
        this.#tell('queue_full', done, count)
        return
      } else if (this.#counts[done]! > 1 && (sent === -EMSGSIZE || sent === -EINVAL || sent === -EIO)) {
        // Longer than the path's MTU, which needs fragments; or a device that cannot do it at all. One by one, then.
        if (sent === -EIO) this.#maxSegments = 1
        this.#send(outlet, this.#lineUp(this.#slots[done]!, outlet.family, 1))
        return
      } else if (sent !== -EINTR && sent !== -ECONNREFUSED) {
        this.#tell(sent === -EMSGSIZE ? 'too_long' : 'failed', done, done + 1)
        done++
      }
    }
  }

  #tell (fate: Fate, from: number, to: number): void {
    for (let header = from; header < to; header++) {
      const first = this.#slots[header]!
      for (let slot = first; slot < first + this.#counts[header]!; slot++) this.#onFate(fate, this.#tags[slot]!, this.#ring.length(slot))
    }
  }
}
