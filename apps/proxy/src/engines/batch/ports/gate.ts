// Keeps datagrams out of a socket for a while. With several workers the sockets of a data port are bound one after the
// other; until all of them are there and the kernel knows whose client is whose, it would give clients to workers that do
// not have their sessions. What comes in that moment is dropped by the kernel, and counted as what a full buffer cannot take.
import { attachProgram, type Instruction } from '../system/classic-bpf.js'
import { SO_ATTACH_FILTER, SO_DETACH_FILTER, SOL_SOCKET, type Libc } from '../system/libc.js'
import { Memory } from '../system/memory.js'

// uapi/linux/bpf_common.h: return the constant 0, which is how many bytes of a datagram are kept; none is a drop.
const dropAll: readonly Instruction[] = [[0x06, 0]]

/** Nothing reaches the socket from now on; before `bind` that is nothing at all. Returns 0, or a negative errno. */
export function shutGate (libc: Libc, fd: number): number {
  return attachProgram(libc, fd, SO_ATTACH_FILTER, dropAll)
}

/** Datagrams reach it again. Returns 0, or a negative errno. */
export function openGate (libc: Libc, fd: number): number {
  return libc.setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, new Memory(libc, 8).address, 4)
}
