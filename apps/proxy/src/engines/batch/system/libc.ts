// The system calls of the batch engine, called by FFI: the only file that imports koffi. Each function is one call of
// libc; what C returns as -1 with errno is a negative errno here, as the kernel itself says it.
//
// Numbers are those of Linux on x86-64 and arm64, which agree: include/uapi/asm-generic/{socket,fcntl}.h, uapi/linux/{in,
// in6,eventpoll,eventfd}.h. Other systems and byte orders get the dgram engine.
import { arch, constants, endianness, platform } from 'node:os'
import { getSystemErrorName } from 'node:util'

export const AF_INET = 2
export const AF_INET6 = 10
export const SOCK_DGRAM = 2
export const SOCK_NONBLOCK = 0o4000
export const SOCK_CLOEXEC = 0o2000000
export const SOL_SOCKET = 1
export const SO_REUSEADDR = 2
export const SO_SNDBUF = 7
export const SO_RCVBUF = 8
export const SO_REUSEPORT = 15
export const SO_ATTACH_FILTER = 26
export const SO_DETACH_FILTER = 27
export const SO_SNDBUFFORCE = 32
export const SO_RCVBUFFORCE = 33
export const SO_ATTACH_REUSEPORT_CBPF = 51
export const SO_MEMINFO = 55
export const IPPROTO_IP = 0
export const IPPROTO_UDP = 17
export const IPPROTO_IPV6 = 41
export const IP_TOS = 1
export const IP_PKTINFO = 8
export const IP_MTU_DISCOVER = 10
export const IP_RECVTOS = 13
export const IPV6_MTU_DISCOVER = 23
export const IPV6_V6ONLY = 26
export const IPV6_RECVPKTINFO = 49
export const IPV6_PKTINFO = 50
export const IPV6_RECVTCLASS = 66
export const IPV6_TCLASS = 67
export const UDP_SEGMENT = 103
export const MSG_TRUNC = 0x20
export const MSG_DONTWAIT = 0x40
export const EPOLL_CTL_ADD = 1
export const EPOLL_CTL_DEL = 2
export const EPOLLIN = 1

/** Pointers are numbers: see Memory. Every function returns a negative errno when it fails. */
export interface Libc {
  readonly addressOf: (bytes: Uint8Array) => number
  readonly socket: (domain: number, type: number) => number
  readonly close: (fd: number) => number
  readonly bind: (fd: number, address: number, length: number) => number
  readonly connect: (fd: number, address: number, length: number) => number
  readonly getsockname: (fd: number, address: number, length: number) => number
  readonly setsockopt: (fd: number, level: number, option: number, value: number, length: number) => number
  readonly getsockopt: (fd: number, level: number, option: number, value: number, length: number) => number
  /** @returns how many messages were received */
  readonly recvmmsg: (fd: number, headers: number, count: number) => number
  /** @returns how many messages were sent; the errno is that of the first, or none is told */
  readonly sendmmsg: (fd: number, headers: number, count: number) => number
  readonly epollCreate: () => number
  readonly epollCtl: (epoll: number, operation: number, fd: number, event: number) => number
  /** Blocks this thread. @returns how many events there are */
  readonly epollWait: (epoll: number, events: number, maxEvents: number, timeoutMs: number) => number
  readonly eventfd: () => number
  readonly read: (fd: number, bytes: number, length: number) => number
  readonly write: (fd: number, bytes: number, length: number) => number
}

/** Why this system has no batch engine, for people. */
export class NoLibc extends Error {}

const EPOLL_CLOEXEC = 0o2000000
const EFD_FLAGS = 0o2000000 | 0o4000

/** The calls of this system. Throws NoLibc where they cannot be made. */
export async function openLibc (): Promise<Libc> {
  if (platform() !== 'linux') throw new NoLibc(`the system is ${platform()}, not Linux`)
  if (endianness() !== 'LE' || !['x64', 'arm64'].includes(arch())) throw new NoLibc(`the processor is ${arch()}, not x64 or arm64`)
  const { default: koffi } = await import('koffi').catch((error: unknown) => { throw new NoLibc(`koffi does not load: ${String(error)}`) })
  const library = koffi.load(null)
  type Call = (...args: readonly number[]) => number
  const declared = (declaration: string): Call => {
    const call = library.func(declaration) as Call
    return (...args) => {
      const result = call(...args)
      return result < 0 ? -koffi.errno() : result
    }
  }
  const recvmmsg = library.func('int recvmmsg(int, uint64_t, unsigned int, int, uint64_t)') as Call
  const sendmmsg = library.func('int sendmmsg(int, uint64_t, unsigned int, int)') as Call
  const epollWait = library.func('int epoll_wait(int, uint64_t, int, int)') as Call
  const orErrno = (result: number): number => result < 0 ? -koffi.errno() : result
  const socket = declared('int socket(int, int, int)')
  const close = declared('int close(int)')
  const eventfd = declared('int eventfd(unsigned int, int)')
  const epollCreate = declared('int epoll_create1(int)')
  const libc: Libc = {
    addressOf: bytes => Number(koffi.address(bytes)),
    socket: (domain, type) => socket(domain, type, 0),
    close,
    bind: declared('int bind(int, uint64_t, unsigned int)'),
    connect: declared('int connect(int, uint64_t, unsigned int)'),
    getsockname: declared('int getsockname(int, uint64_t, uint64_t)'),
    setsockopt: declared('int setsockopt(int, int, int, uint64_t, unsigned int)'),
    getsockopt: declared('int getsockopt(int, int, int, uint64_t, uint64_t)'),
    recvmmsg: (fd, headers, count) => orErrno(recvmmsg(fd, headers, count, MSG_DONTWAIT, 0)),
    sendmmsg: (fd, headers, count) => orErrno(sendmmsg(fd, headers, count, MSG_DONTWAIT)),
    epollCreate: () => epollCreate(EPOLL_CLOEXEC),
    epollCtl: declared('int epoll_ctl(int, int, int, uint64_t)'),
    epollWait: (epoll, events, maxEvents, timeoutMs) => orErrno(epollWait(epoll, events, maxEvents, timeoutMs)),
    eventfd: () => eventfd(0, EFD_FLAGS),
    read: declared('int64_t read(int, uint64_t, size_t)'),
    write: declared('int64_t write(int, uint64_t, size_t)')
  }
  const fault = faultOf(libc)
  if (fault !== undefined) throw new NoLibc(fault)
  return libc
}

// A sandbox may know the functions and refuse the calls. An empty socket says EAGAIN to who asks without waiting.
function faultOf (libc: Libc): string | undefined {
  const fd = libc.socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC)
  if (fd < 0) return `socket fails: ${getSystemErrorName(fd)}`
  const header = new Uint8Array(new ArrayBuffer(64))
  const received = libc.recvmmsg(fd, libc.addressOf(header), 1)
  libc.close(fd)
  return received === -constants.errno.EAGAIN ? undefined : `recvmmsg fails: ${received < 0 ? getSystemErrorName(received) : received}`
}
