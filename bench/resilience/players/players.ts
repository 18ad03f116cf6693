// Clients with a session each: every one an address of its own, all of them one socket. Each numbers its datagrams, and
// takes only what is for its address.
import { addressWords } from '#wire/address.js'
import { AF_INET, type Libc } from '../../../apps/proxy/src/engines/batch/system/libc.js'
import { Memory } from '../../../apps/proxy/src/engines/batch/system/memory.js'
import { SOCKADDR_BYTES, sockaddrLength, writeSockaddr } from '../../../apps/proxy/src/engines/batch/system/socket-address.js'
import { SystemError } from '../../../apps/proxy/src/engines/batch/system/udp-socket.js'
import { clientAddress, type Endpoint } from '../../forward/endpoints.js'
import { BATCH } from '../../forward/generator/crowd.js'
import { CONTROL_BYTES, LoopbackSockets, writeSource } from '../../forward/loopback-socket.js'
import { MessageBlock } from '../../forward/message-block.js'
import { DATAGRAM_BYTES, DATAGRAM_WORDS, Kind } from '../payload.js'

// Where the control data of a received datagram has the address it was for (loopback-socket.ts).
const DESTINATION_WORD = 24 / 4

export class Players {
  sent = 0
  /** Replies that came, to the player whose number they carry. */
  received = 0
  /** Replies that came to somebody else. */
  misdelivered = 0
  readonly #libc: Libc
  readonly #sockets: LoopbackSockets
  readonly #count: number
  readonly #fd: number
  readonly #sources: Memory
  readonly #payloads: Memory
  readonly #destination: Memory
  readonly #outgoing: MessageBlock
  readonly #incoming: MessageBlock
  readonly #replies: Memory
  readonly #controls: Memory
  // The words of each player's address, as the kernel has them.
  readonly #addresses: Uint32Array
  #next = 0

  constructor (libc: Libc, count: number) {
    this.#libc = libc
    this.#count = count
    this.#sockets = new LoopbackSockets(libc)
    this.#fd = this.#sockets.open()
    this.#sockets.tellDestinations(this.#fd)
    this.#sources = new Memory(libc, count * CONTROL_BYTES)
    this.#payloads = new Memory(libc, count * DATAGRAM_BYTES)
    this.#destination = new Memory(libc, SOCKADDR_BYTES)
    this.#outgoing = new MessageBlock(libc, count, false)
    this.#incoming = new MessageBlock(libc, BATCH, false)
    this.#replies = new Memory(libc, BATCH * DATAGRAM_BYTES)
    this.#controls = new Memory(libc, BATCH * CONTROL_BYTES)
    this.#addresses = new Uint32Array(new Uint8Array(Array.from({ length: count }, (_, player) => clientAddress(player).split('.').map(Number)).flat()).buffer)
    for (let player = 0; player < count; player++) {
      this.#outgoing.setControl(player, writeSource(this.#sources, player * CONTROL_BYTES, clientAddress(player)))
      this.#outgoing.setData(player, { address: this.#payloads.address + player * DATAGRAM_BYTES, bytes: DATAGRAM_BYTES })
      this.#payloads.words.set([Kind.player, player], player * DATAGRAM_WORDS)
    }
    for (let message = 0; message < BATCH; message++) this.#incoming.setData(message, { address: this.#replies.address + message * DATAGRAM_BYTES, bytes: DATAGRAM_BYTES })
  }

  aim ({ address, port }: Endpoint): void {
    writeSockaddr(this.#destination, 0, AF_INET, addressWords(address)!, port)
    for (let player = 0; player < this.#count; player++) this.#outgoing.setName(player, { address: this.#destination.address, bytes: sockaddrLength(AF_INET) })
  }

  /** Lets every player send its token, once. */
  redeem (tokens: readonly string[]): void {
    const bytes = new Memory(this.#libc, DATAGRAM_BYTES)
    for (const [player, token] of tokens.entries()) {
      bytes.bytes.set(Buffer.from(token))
      this.#outgoing.setData(player, { address: bytes.address, bytes: token.length })
      this.#sendTo(player, 1)
      this.#outgoing.setData(player, { address: this.#payloads.address + player * DATAGRAM_BYTES, bytes: DATAGRAM_BYTES })
    }
  }

  /** Sends up to `count` datagrams, of the next players; returns how many the kernel took. */
  send (count: number): number {
    const first = this.#next
    const sent = this.#sendTo(first, Math.min(count, BATCH, this.#count - first))
    for (let player = first; player < first + sent; player++) this.#payloads.words[player * DATAGRAM_WORDS + 2]!++
    this.#next = (first + sent) % this.#count
    this.sent += sent
    return sent
  }

  /** Takes the replies that have come. */
  take (): void {
    for (let received = BATCH; received === BATCH;) {
      // The kernel overwrites the lengths.
      for (let message = 0; message < BATCH; message++) this.#incoming.setControl(message, { address: this.#controls.address + message * CONTROL_BYTES, bytes: CONTROL_BYTES })
      received = this.#libc.recvmmsg(this.#fd, this.#incoming.pointer(0), BATCH)
      for (let message = 0; message < received; message++) this.#judge(message)
    }
  }

  /** Replies that the kernel dropped because the socket was full. */
  drops (): number { return this.#sockets.receiveDrops(this.#fd) }

  close (): void { this.#sockets.close(this.#fd) }

  #judge (message: number): void {
    const player = this.#replies.words[message * DATAGRAM_WORDS + 1]!
    const isTheirs = this.#controls.words[message * CONTROL_BYTES / 4 + DESTINATION_WORD] === this.#addresses[player]
    if (isTheirs) this.received++
    else this.misdelivered++
  }

  // What cannot be sent now is sent later: the pace catches up.
  #sendTo (player: number, count: number): number {
    const sent = this.#libc.sendmmsg(this.#fd, this.#outgoing.pointer(player), count)
    if (sent >= 0) return sent
    const error = new SystemError('sendmmsg', sent)
    if (error.code === 'EAGAIN' || error.code === 'ENOBUFS') return 0
    throw error
  }
}
