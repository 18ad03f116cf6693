// Programs that the kernel runs for a socket: classic BPF, as setsockopt takes it (socket(7), uapi/linux/filter.h).
import { SOL_SOCKET, type Libc } from './libc.js'
import { Memory } from './memory.js'

export type Instruction = readonly [code: number, k?: number, whenTrue?: number, whenFalse?: number]

/** Gives `program` to the socket by this option. Returns 0, or a negative errno. */
export function attachProgram (libc: Libc, fd: number, option: number, program: readonly Instruction[]): number {
  // struct sock_filter: code (2), jt (1), jf (1), k (4). struct sock_fprog: length (2), padding, pointer (8).
  const filters = new Memory(libc, program.length * 8)
  program.forEach(([code, k = 0, whenTrue = 0, whenFalse = 0], index) => {
    filters.words[index * 2] = code | whenTrue << 16 | whenFalse << 24
    filters.words[index * 2 + 1] = k
  })
  const header = new Memory(libc, 16)
  header.words[0] = program.length
  header.writePointer(8, filters.address)
  return libc.setsockopt(fd, SOL_SOCKET, option, header.address, 16)
}
