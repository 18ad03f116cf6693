// What comes back to the clients, and how long that took: from the moment before the send call to when the kernel had the
// reply for the client, by its own clock. That the generator looks for replies only now and then does not count.
import type { Libc } from '../../../apps/proxy/src/engines/batch/system/libc.js'
import { Memory } from '../../../apps/proxy/src/engines/batch/system/memory.js'
import { CONTROL_BYTES, LoopbackSockets, readTime } from '../loopback-socket.js'
import { MessageBlock } from '../message-block.js'
import { Crowd, BATCH, TIME_OFFSET } from './crowd.js'

const DATA_BYTES = 16
const CALIBRATIONS = 200

export class Replies {
  received = 0
  /** Milliseconds, of the first replies up to as many as there is room for. */
  readonly latencies: Float64Array
  readonly #libc: Libc
  readonly #crowd: Crowd
  readonly #block: MessageBlock
  readonly #data: Memory
  readonly #times: Float64Array
  readonly #controls: Memory
  readonly #baseSeconds = Math.floor(Date.now() / 1000)
  // From this process's clock to the one of the kernel's time stamps, in ms.
  #clockOffset = 0

  constructor (libc: Libc, crowd: Crowd, room: number) {
    this.#libc = libc
    this.#crowd = crowd
    this.latencies = new Float64Array(room)
    this.#block = new MessageBlock(libc, BATCH, false)
    this.#data = new Memory(libc, BATCH * DATA_BYTES)
    this.#times = new Float64Array(this.#data.bytes.buffer)
    this.#controls = new Memory(libc, BATCH * CONTROL_BYTES)
    for (let message = 0; message < BATCH; message++) this.#block.setData(message, { address: this.#data.address + message * DATA_BYTES, bytes: DATA_BYTES })
    const sockets = new LoopbackSockets(libc)
    for (const fd of crowd.fds) sockets.tellTimes(fd)
    this.#clockOffset = this.#calibrate(sockets)
    // Replies to what was sent before have no place in this.
    while (this.take() > 0);
    this.received = 0
  }

  /** Takes what has come to any client. Returns how many replies there were. */
  take (): number {
    let taken = 0
    for (const fd of this.#crowd.fds) {
      let received = BATCH
      while (received === BATCH) {
        received = this.#receive(fd)
        for (let message = 0; message < received; message++) this.#count(message)
        taken += Math.max(0, received)
      }
    }
    return taken
  }

  #count (message: number): void {
    if (this.received < this.latencies.length) {
      this.latencies[this.received] = this.#kernelTime(message) - this.#clockOffset - this.#times[(message * DATA_BYTES + TIME_OFFSET) / 8]!
    }
    this.received++
  }

  #receive (fd: number): number {
    // The kernel overwrites the lengths.
    for (let message = 0; message < BATCH; message++) this.#block.setControl(message, { address: this.#controls.address + message * CONTROL_BYTES, bytes: CONTROL_BYTES })
    return this.#libc.recvmmsg(fd, this.#block.pointer(0), BATCH)
  }

  #kernelTime (message: number): number {
    return readTime(this.#controls, message * CONTROL_BYTES, this.#baseSeconds)
  }

  // A datagram to itself is there while the call that sends it is under way: the shortest such call says best when.
  #calibrate (sockets: LoopbackSockets): number {
    const self = new Crowd(this.#libc, 1, DATA_BYTES)
    const [fd] = self.fds as [number]
    sockets.tellTimes(fd)
    self.aim([{ address: '127.0.0.1', port: sockets.port(fd) }])
    let best = { offset: 0, width: Infinity }
    for (let count = 0; count < CALIBRATIONS; count++) {
      const before = performance.now()
      self.send(1)
      const after = performance.now()
      if (this.#receive(fd) === 1 && after - before < best.width) best = { offset: this.#kernelTime(0) - (before + after) / 2, width: after - before }
    }
    self.close()
    return best.offset
  }
}
