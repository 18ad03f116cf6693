// The target: one socket under all addresses of the targets. It counts what comes, and as an echo sends it back from the
// address it was for, by handing the control data back as it got it.
import { Epoll } from '../../../apps/proxy/src/engines/batch/system/epoll.js'
import { openLibc } from '../../../apps/proxy/src/engines/batch/system/libc.js'
import { Memory } from '../../../apps/proxy/src/engines/batch/system/memory.js'
import { SOCKADDR_BYTES } from '../../../apps/proxy/src/engines/batch/system/socket-address.js'
import { serve } from '#testkit/processes/helper.js'
import { CONTROL_BYTES, LoopbackSockets } from '../loopback-socket.js'
import { MessageBlock } from '../message-block.js'

export interface Counts {
  /** Datagrams, ever. */
  readonly received: number
  /** Datagrams that the kernel dropped because the socket was full, ever. */
  readonly drops: number
  /** Of the received ones: sent back. */
  readonly echoed: number
  /** When the last one came, by the clock that all processes share, in ms. */
  readonly lastAtMs: number
}

const BATCH = 64
const SLOT_BYTES = 2048
// What a datagram that is only counted leaves here: the kernel drops the rest without copying it.
const GLANCE_BYTES = 8
// After so long it is looked whether there is a call to answer, in ms.
const WAIT_MS = 2
const TURN_MS = 10

const libc = await openLibc()
const sockets = new LoopbackSockets(libc)
const epoll = new Epoll(libc)
const data = new Memory(libc, BATCH * SLOT_BYTES)
const names = new Memory(libc, BATCH * SOCKADDR_BYTES)
const controls = new Memory(libc, BATCH * CONTROL_BYTES)
const block = new MessageBlock(libc, BATCH, false)
const fd = sockets.open()
let isEcho = false
let isOpen = true
let received = 0
let echoed = 0
let lastAtMs = 0

function prepare (message: number): void {
  block.setData(message, { address: data.address + message * SLOT_BYTES, bytes: isEcho ? SLOT_BYTES : GLANCE_BYTES })
  if (!isEcho) return
  block.setName(message, { address: names.address + message * SOCKADDR_BYTES, bytes: SOCKADDR_BYTES })
  block.setControl(message, { address: controls.address + message * CONTROL_BYTES, bytes: CONTROL_BYTES })
}

function prepareAll (): void {
  for (let message = 0; message < BATCH; message++) prepare(message)
}

function echo (count: number): void {
  for (let message = 0; message < count; message++) block.setData(message, { address: data.address + message * SLOT_BYTES, bytes: block.length(message) })
  let done = 0
  while (done < count) {
    const sent = libc.sendmmsg(fd, block.pointer(done), count - done)
    echoed += Math.max(0, sent)
    // One that cannot be sent is missing among the echoed, and the ledger says so.
    done += Math.max(1, sent)
  }
  for (let message = 0; message < count; message++) prepare(message)
}

function turn (): void {
  if (!isOpen) return
  const end = performance.now() + TURN_MS
  if (epoll.wait(WAIT_MS) > 0) {
    let count = BATCH
    while (count === BATCH && performance.now() < end) {
      count = libc.recvmmsg(fd, block.pointer(0), BATCH)
      received += Math.max(0, count)
      if (isEcho) echo(count)
    }
    lastAtMs = performance.timeOrigin + performance.now()
  }
  setImmediate(turn)
}

const calls = {
  open: async ({ echo }: { echo: boolean }): Promise<{ port: number }> => {
    isEcho = echo
    if (isEcho) sockets.tellDestinations(fd)
    prepareAll()
    epoll.add(fd, 0)
    turn()
    return { port: sockets.port(fd) }
  },
  counts: async (): Promise<Counts> => ({ received, drops: sockets.receiveDrops(fd), echoed, lastAtMs })
}

export type SinkCalls = typeof calls

serve(calls, async () => {
  isOpen = false
  epoll.close()
  sockets.close(fd)
})
