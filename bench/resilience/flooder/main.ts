// The flood: first datagrams, each from an address that nobody had before it, all from one socket on loopback.
import { addressWords } from '#wire/address.js'
import { AF_INET, openLibc } from '../../../apps/proxy/src/engines/batch/system/libc.js'
import { Memory } from '../../../apps/proxy/src/engines/batch/system/memory.js'
import { SOCKADDR_BYTES, sockaddrLength, writeSockaddr } from '../../../apps/proxy/src/engines/batch/system/socket-address.js'
import { SystemError } from '../../../apps/proxy/src/engines/batch/system/udp-socket.js'
import type { Endpoint } from '../../forward/endpoints.js'
import { BATCH } from '../../forward/generator/crowd.js'
import { nap, run, type Sent } from '../../forward/generator/pace.js'
import { CONTROL_BYTES, LoopbackSockets, writeSource } from '../../forward/loopback-socket.js'
import { MessageBlock } from '../../forward/message-block.js'
import { serve } from '#testkit/processes/helper.js'
import { DATAGRAM_BYTES, Kind } from '../payload.js'

// 127.64.0.0/10: apart from the players' and the servers' addresses (endpoints.ts).
const FIRST_OCTETS = 127 << 24 | 64 << 16

const libc = await openLibc()
const sockets = new LoopbackSockets(libc)
const fd = sockets.open()
const payload = new Memory(libc, DATAGRAM_BYTES)
const destination = new Memory(libc, SOCKADDR_BYTES)
const controls = new Memory(libc, BATCH * CONTROL_BYTES)
const block = new MessageBlock(libc, BATCH, true)
payload.words[0] = Kind.flood
block.setData(0, { address: payload.address, bytes: DATAGRAM_BYTES })
let used = 0

function addressOf (number: number): string {
  const address = FIRST_OCTETS + number
  return [address >>> 24, address >>> 16 & 0xff, address >>> 8 & 0xff, address & 0xff].join('.')
}

/** Sends up to so many, each from the next address; returns how many the kernel took. */
function send (count: number): number {
  const wanted = Math.min(count, BATCH)
  for (let message = 0; message < wanted; message++) block.setControl(message, writeSource(controls, message * CONTROL_BYTES, addressOf(used + message)))
  const sent = libc.sendmmsg(fd, block.pointer(0), wanted)
  if (sent < 0) {
    const error = new SystemError('sendmmsg', sent)
    if (error.code === 'EAGAIN' || error.code === 'ENOBUFS') return 0
    throw error
  }
  used += sent
  return sent
}

const calls = {
  /** @param perSecond left out: as fast as can be */
  flood: async ({ to: { address, port }, count, perSecond }: { to: Endpoint, count: number, perSecond?: number }): Promise<Sent> => {
    writeSockaddr(destination, 0, AF_INET, addressWords(address)!, port)
    for (let message = 0; message < BATCH; message++) block.setName(message, { address: destination.address, bytes: sockaddrLength(AF_INET) })
    used = 0
    return run({ count, ...(perSecond === undefined ? {} : { perSecond }) }, send, nap)
  }
}

export type FlooderCalls = typeof calls

serve(calls, async () => { sockets.close(fd) })
