// Which worker a client address belongs to. Left alone the kernel spreads clients by address *and* data port, so that one
// client's sockets would meet several workers; this program looks at the client's address and port only, so every
// datagram of a client address, on whatever data port, reaches the worker that has its session.
//
// Classic BPF, as SO_ATTACH_REUSEPORT_CBPF takes it (socket(7), Linux 4.5): it returns the index of a socket in the
// group, which is the order in which they were bound. Offsets beyond SKF_NET_OFF are from the IP header (uapi/linux/filter.h).
import { attachProgram, type Instruction } from './classic-bpf.js'
import { SO_ATTACH_REUSEPORT_CBPF, type Libc } from './libc.js'

const SKF_NET = -0x10_0000
const SKF_PROTOCOL = -0x1000
const ETH_P_IP = 0x0800

// uapi/linux/bpf_common.h: class | size | mode, or class | operation | source.
const LOAD_CONSTANT = 0x00
const LOAD_WORD = 0x20
const LOAD_HALF = 0x28
const LOAD_BYTE = 0x30
const LOAD_HALF_INDEXED = 0x48
const LOAD_SCRATCH = 0x60
const STORE_SCRATCH = 0x02
const MULTIPLY = 0x24
const SHIFT_LEFT = 0x64
const SHIFT_RIGHT = 0x74
const MODULO = 0x94
const AND = 0x54
const XOR_X = 0xac
const JUMP_EQUAL = 0x15
const JUMP = 0x05
const COPY_TO_X = 0x07
const RETURN_A = 0x16

// Fibonacci hashing's odd constant (Knuth, TAOCP 6.4): spreads consecutive ports over the upper bits.
export const AFFINITY_SPREAD = 0x9e37_79b1

const mixIn: readonly Instruction[] = [[COPY_TO_X], [LOAD_SCRATCH, 0], [XOR_X], [MULTIPLY, AFFINITY_SPREAD], [STORE_SCRATCH, 0]]

/** The program for `workers` sockets. */
export function affinityProgram (workers: number): readonly Instruction[] {
  const ipv4: readonly Instruction[] = [
    [LOAD_WORD, SKF_NET + 12],
    ...mixIn,
    // The header's length in words is the low half of its first byte; the source port is the first thing after it.
    [LOAD_BYTE, SKF_NET], [AND, 0xf], [SHIFT_LEFT, 2], [COPY_TO_X],
    [LOAD_HALF_INDEXED, SKF_NET],
    ...mixIn
  ]
  const ipv6: readonly Instruction[] = [
    ...[8, 12, 16, 20].flatMap((offset): readonly Instruction[] => [[LOAD_WORD, SKF_NET + offset], ...mixIn]),
    [LOAD_HALF, SKF_NET + 40],
    ...mixIn
  ]
  return [
    // The kernel refuses a program that reads what it has not written.
    [LOAD_CONSTANT, 0], [STORE_SCRATCH, 0],
    [LOAD_HALF, SKF_PROTOCOL],
    [JUMP_EQUAL, ETH_P_IP, 0, ipv4.length + 1],
    ...ipv4,
    [JUMP, ipv6.length],
    ...ipv6,
    [LOAD_SCRATCH, 0], [SHIFT_RIGHT, 16], [MODULO, workers], [RETURN_A]
  ]
}

/** Attaches it to the group that the bound socket `fd` is in. Returns 0, or a negative errno. */
export function attachAffinity (libc: Libc, fd: number, workers: number): number {
  return attachProgram(libc, fd, SO_ATTACH_REUSEPORT_CBPF, affinityProgram(workers))
}
