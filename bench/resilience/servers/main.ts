// The game servers: one socket under all of their addresses. They send back what players send, and remember from which
// port each player came and when.
import { Epoll } from '../../../apps/proxy/src/engines/batch/system/epoll.js'
import { openLibc } from '../../../apps/proxy/src/engines/batch/system/libc.js'
import { Memory } from '../../../apps/proxy/src/engines/batch/system/memory.js'
import { SOCKADDR_BYTES } from '../../../apps/proxy/src/engines/batch/system/socket-address.js'
import { CONTROL_BYTES, LoopbackSockets } from '../../forward/loopback-socket.js'
import { MessageBlock } from '../../forward/message-block.js'
import { serve } from '#testkit/processes/helper.js'
import { DATAGRAM_BYTES, DATAGRAM_WORDS, Kind } from '../payload.js'

export interface ServerCounts {
  /** Datagrams of players, ever. */
  readonly players: number
  /** Of these: sent back. */
  readonly echoed: number
  /** Datagrams of a flood, ever. */
  readonly flood: number
  /** Datagrams that the kernel dropped because the socket was full, ever. */
  readonly drops: number
}

/** Since the mark, by the clock that all processes share, in ms. */
export interface Continuity {
  /** The longest time in which no player's datagram came at all; it may not have ended yet. */
  readonly silence: { readonly fromMs: number, readonly untilMs: number }
  /** Players heard after that silence. */
  readonly continued: number
  /** Of these: from the port they had at the mark. */
  readonly portsKept: number
}

const BATCH = 64
const SOCKADDR_PORT = 2
const WAIT_MS = 2
const TURN_MS = 10

const libc = await openLibc()
const sockets = new LoopbackSockets(libc)
const epoll = new Epoll(libc)
const data = new Memory(libc, BATCH * DATAGRAM_BYTES)
const names = new Memory(libc, BATCH * SOCKADDR_BYTES)
const controls = new Memory(libc, BATCH * CONTROL_BYTES)
const block = new MessageBlock(libc, BATCH, false)
const fd = sockets.open()
let isOpen = true
const counts = { players: 0, echoed: 0, flood: 0 }
let ports = new Uint16Array(0)
let portsAtMark = new Uint16Array(0)
let heardAtMs = new Float64Array(0)
let silence = { fromMs: 0, untilMs: 0 }
let lastAtMs = 0

function wholeMessage (message: number): void {
  block.setData(message, { address: data.address + message * DATAGRAM_BYTES, bytes: DATAGRAM_BYTES })
  block.setName(message, { address: names.address + message * SOCKADDR_BYTES, bytes: SOCKADDR_BYTES })
  block.setControl(message, { address: controls.address + message * CONTROL_BYTES, bytes: CONTROL_BYTES })
}

/** Takes note of a datagram; returns whether it is a player's. */
function note (message: number, nowMs: number): boolean {
  const word = message * DATAGRAM_WORDS
  if (data.words[word] !== Kind.player) {
    counts.flood++
    return false
  }
  const player = data.words[word + 1]!
  const name = message * SOCKADDR_BYTES + SOCKADDR_PORT
  ports[player] = names.bytes[name]! << 8 | names.bytes[name + 1]!
  heardAtMs[player] = nowMs
  if (nowMs - lastAtMs > silence.untilMs - silence.fromMs) silence = { fromMs: lastAtMs, untilMs: nowMs }
  lastAtMs = nowMs
  counts.players++
  return true
}

/** Returns how many came. */
function receive (): number {
  const received = libc.recvmmsg(fd, block.pointer(0), BATCH)
  const nowMs = performance.timeOrigin + performance.now()
  for (let message = 0; message < received; message++) {
    if (!note(message, nowMs)) continue
    // What comes is as long as there is room for. One that cannot be sent is missing among the echoed.
    counts.echoed += Math.max(0, libc.sendmmsg(fd, block.pointer(message), 1))
  }
  for (let message = 0; message < received; message++) wholeMessage(message)
  return received
}

function turn (): void {
  if (!isOpen) return
  if (epoll.wait(WAIT_MS) > 0) for (const end = performance.now() + TURN_MS; performance.now() < end && receive() === BATCH;);
  setImmediate(turn)
}

const calls = {
  open: async ({ players }: { players: number }): Promise<{ port: number }> => {
    ports = new Uint16Array(players)
    portsAtMark = new Uint16Array(players)
    heardAtMs = new Float64Array(players)
    sockets.tellDestinations(fd)
    for (let message = 0; message < BATCH; message++) wholeMessage(message)
    epoll.add(fd, 0)
    turn()
    return { port: sockets.port(fd) }
  },
  /** What `continuity` tells begins here. */
  mark: async (): Promise<void> => {
    portsAtMark.set(ports)
    lastAtMs = performance.timeOrigin + performance.now()
    silence = { fromMs: lastAtMs, untilMs: lastAtMs }
  },
  continuity: async (): Promise<Continuity> => {
    const continued = [...heardAtMs.keys()].filter(player => heardAtMs[player]! >= silence.untilMs)
    return { silence, continued: continued.length, portsKept: continued.filter(player => ports[player] === portsAtMark[player]).length }
  },
  counts: async (): Promise<ServerCounts> => ({ ...counts, drops: sockets.receiveDrops(fd) })
}

export type ServerCalls = typeof calls

serve(calls, async () => {
  isOpen = false
  epoll.close()
  sockets.close(fd)
})
