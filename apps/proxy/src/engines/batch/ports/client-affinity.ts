// Which worker a client address belongs to. Left alone the kernel spreads clients by address *and* data port, so that one
// client's sockets would meet several workers; this program looks at the client's address and port only, so every
// datagram of a client address, on whatever data port, reaches the worker that has its session.
//
// Classic BPF, as SO_ATTACH_REUSEPORT_CBPF takes it (socket(7), Linux 4.5): it returns the index of a socket in the
// group, which is the order in which they were bound. It sees a whole datagram, put together of its fragments. Offsets
// beyond SKF_NET_OFF are from the IP header (uapi/linux/filter.h); the others, and the length, begin behind the UDP header,
// whose own place no offset gives.
//
//   IPv4   20 bytes, options ─────────────────────────────────▶ UDP header     the first byte says how long
//   IPv6   40 bytes ─▶ extension header ─▶ … ─▶ ────────────────▶ UDP header     each says what is next, and how long it is
import { AFFINITY_SPREAD } from '../../shard-of-client.js'
import { attachProgram, type Instruction } from '../system/classic-bpf.js'
import { SO_ATTACH_REUSEPORT_CBPF, type Libc } from '../system/libc.js'

const SKF_NET = -0x10_0000
const SKF_PROTOCOL = -0x1000
const ETH_P_IP = 0x0800

// uapi/linux/bpf_common.h: class | size | mode, or class | operation | source.
const LOAD_CONSTANT = 0x00
const LOAD_WORD = 0x20
const LOAD_HALF = 0x28
const LOAD_BYTE = 0x30
const LOAD_HALF_INDEXED = 0x48
const LOAD_BYTE_INDEXED = 0x50
const LOAD_SCRATCH = 0x60
const LOAD_X_SCRATCH = 0x61
const LOAD_X_LENGTH = 0x81
const ADD = 0x04
const ADD_X = 0x0c
const SUBTRACT_X = 0x1c
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

// What the scratch memory holds: the hash; how far from the IP header the walk has come, and what is there.
const HASH = 0
const PLACE = 1
const KIND = 2

const IPV6_BYTES = 40
const UDP_BYTES = 8
const UDP = 17

/** Extension headers that are walked one by one: RFC 8200 has seven, 4.1 says in which order. */
const MAX_WALKED = 8

const mixIn: readonly Instruction[] = [[COPY_TO_X], [LOAD_SCRATCH, HASH], [XOR_X], [MULTIPLY, AFFINITY_SPREAD], [STORE_SCRATCH, HASH]]

// Leaves the place of the UDP header in PLACE. Every extension header that is still there when UDP gets its datagram
// has its successor in the first byte and its length in the second, in units of 8 bytes beyond the first 8 (RFC 8200, 4; of
// a fragment header that byte is 0). Should the walk be too short, the place follows from what comes behind it: all that
// the IP header counts, less the UDP header and the data. That would do alone, but for datagrams which are longer than
// UDP says they are (RFC 9868).
function ipv6Walk (): readonly Instruction[] {
  const step: readonly Instruction[] = [
    [LOAD_X_SCRATCH, PLACE],
    [LOAD_BYTE_INDEXED, SKF_NET], [STORE_SCRATCH, KIND],
    [LOAD_BYTE_INDEXED, SKF_NET + 1], [ADD, 1], [SHIFT_LEFT, 3], [ADD_X], [STORE_SCRATCH, PLACE],
    [LOAD_SCRATCH, KIND]
  ]
  const fromBehind: readonly Instruction[] = [
    [LOAD_HALF, SKF_NET + 4], [LOAD_X_LENGTH], [SUBTRACT_X], [ADD, IPV6_BYTES - UDP_BYTES], [STORE_SCRATCH, PLACE]
  ]
  let walk = fromBehind
  for (let header = 0; header < MAX_WALKED; header++) walk = [...step, [JUMP_EQUAL, UDP, walk.length], ...walk]
  return [[LOAD_CONSTANT, IPV6_BYTES], [STORE_SCRATCH, PLACE], [LOAD_BYTE, SKF_NET + 6], [JUMP_EQUAL, UDP, walk.length], ...walk]
}

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
    ...ipv6Walk(),
    [LOAD_X_SCRATCH, PLACE], [LOAD_HALF_INDEXED, SKF_NET],
    ...mixIn
  ]
  return [
    // The kernel refuses a program that reads what it has not written.
    [LOAD_CONSTANT, 0], [STORE_SCRATCH, HASH],
    [LOAD_HALF, SKF_PROTOCOL],
    [JUMP_EQUAL, ETH_P_IP, 0, ipv4.length + 1],
    ...ipv4,
    [JUMP, ipv6.length],
    ...ipv6,
    [LOAD_SCRATCH, HASH], [SHIFT_RIGHT, 16], [MODULO, workers], [RETURN_A]
  ]
}

/** Attaches it to the group that the bound socket `fd` is in. Returns 0, or a negative errno. */
export function attachAffinity (libc: Libc, fd: number, workers: number): number {
  return attachProgram(libc, fd, SO_ATTACH_REUSEPORT_CBPF, affinityProgram(workers))
}
