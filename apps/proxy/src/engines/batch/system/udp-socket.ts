// UDP sockets by file descriptor: opened, bound, asked for their buffers. Failures are SystemError with the system's code.
import { getSystemErrorName } from 'node:util'
import { isIPv4Words } from '#wire/address.js'
import { AF_INET, AF_INET6, IPPROTO_IP, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_RECVPKTINFO, IPV6_RECVTCLASS, IPV6_TCLASS, IPV6_V6ONLY, IP_MTU_DISCOVER, IP_PKTINFO, IP_RECVTOS, IP_TOS, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK, SO_MEMINFO, SO_RCVBUF, SO_RCVBUFFORCE, SO_REUSEADDR, SO_REUSEPORT, SO_SNDBUF, SO_SNDBUFFORCE, SOL_SOCKET, type Libc } from './libc.js'
import { Memory } from './memory.js'
import { readSockaddr, sockaddrLength, SOCKADDR_BYTES, writeSockaddr, type Family } from './socket-address.js'

// uapi/linux/sock_diag.h: SK_MEMINFO_DROPS, the ninth of nine numbers.
const MEMINFO_BYTES = 9 * 4
const MEMINFO_DROPS = 8

// uapi/linux/in.h, in6.h: IP_PMTUDISC_DONT and IPV6_PMTUDISC_DONT.
const PMTUDISC_DONT = 0

/** A system call that failed. */
export class SystemError extends Error {
  /** ENOBUFS, EADDRINUSE, … */
  readonly code: string

  constructor (call: string, errno: number) {
    const code = getSystemErrorName(errno)
    super(`${call}: ${code}`)
    this.code = code
  }
}

/** The socket calls, with the memory they need. */
export class UdpSockets {
  readonly #libc: Libc
  readonly #address: Memory
  readonly #value: Memory

  constructor (libc: Libc) {
    this.#libc = libc
    this.#address = new Memory(libc, SOCKADDR_BYTES)
    this.#value = new Memory(libc, 64)
  }

  /** A non-blocking socket; one for IPv6 takes IPv4 too, unless it is told not to. Throws SystemError. */
  open (family: Family, isIPv6Only = false): number {
    const fd = this.#libc.socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC)
    if (fd < 0) throw new SystemError('socket', fd)
    if (family === AF_INET6) this.#set(fd, IPPROTO_IPV6, IPV6_V6ONLY, isIPv6Only ? 1 : 0)
    this.#allowFragments(fd, family)
    return fd
  }

  close (fd: number): void {
    this.#libc.close(fd)
  }

  /** Nobody else may bind the port, even who asks with SO_REUSEADDR as this socket did. */
  keepPort (fd: number): void {
    this.#set(fd, SOL_SOCKET, SO_REUSEADDR, 0)
  }

  /** Lets several sockets share the port: the first one after its `bind`, each other one before; or no more. Throws SystemError. */
  sharePort (fd: number, isShared = true): void {
    const result = this.#set(fd, SOL_SOCKET, SO_REUSEPORT, isShared ? 1 : 0)
    if (result < 0) throw new SystemError('setsockopt SO_REUSEPORT', result)
  }

  /** Throws SystemError: EADDRINUSE, EACCES, EADDRNOTAVAIL, … */
  bind (fd: number, family: Family, words: Uint32Array, port: number): void {
    writeSockaddr(this.#address, 0, family, words, port)
    const result = this.#libc.bind(fd, this.#address.address, sockaddrLength(family))
    if (result < 0) throw new SystemError('bind', result)
  }

  /** The port the socket is bound to. */
  port (fd: number): number {
    this.#value.words[0] = SOCKADDR_BYTES
    const result = this.#libc.getsockname(fd, this.#address.address, this.#value.address)
    if (result < 0) throw new SystemError('getsockname', result)
    return readSockaddr(this.#address, 0, new Uint32Array(4))
  }

  /**
   * Asks for a receive buffer, beyond the system's maximum where this process may. Returns what is in force, in bytes;
   * Linux reports twice what a program can use (socket(7)).
   */
  askReceiveBuffer (fd: number, bytes: number): number {
    if (this.#set(fd, SOL_SOCKET, SO_RCVBUFFORCE, bytes) < 0) this.#set(fd, SOL_SOCKET, SO_RCVBUF, bytes)
    return this.#get(fd, SO_RCVBUF, 4) < 0 ? 0 : this.#value.words[0]!
  }

  /** Asks for room for `bytes` of datagrams that wait for the network, in the same way. */
  askSendBuffer (fd: number, bytes: number): void {
    if (this.#set(fd, SOL_SOCKET, SO_SNDBUFFORCE, bytes) < 0) this.#set(fd, SOL_SOCKET, SO_SNDBUF, bytes)
  }

  /** Has the kernel tell which address of this host each datagram was sent to; an IPv6 socket, of IPv4 too. Before `bind`. */
  askLocalAddress (fd: number, family: Family): void {
    if (family === AF_INET6) this.#set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
    else this.#set(fd, IPPROTO_IP, IP_PKTINFO, 1)
  }

  /**
   * Whether a datagram may come from this address, which one was sent to; an IPv4 broadcast address only receives. The system
   * knows its own networks best: it connects no socket to a broadcast address that has not asked for it (socket(7)).
   */
  isUnicast (words: Uint32Array): boolean {
    if (isMulticast(words)) return false
    if (!isIPv4Words(words)) return true
    const fd = this.#libc.socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC)
    if (fd < 0) return false
    writeSockaddr(this.#address, 0, AF_INET, words, 9)
    const result = this.#libc.connect(fd, this.#address.address, sockaddrLength(AF_INET))
    this.#libc.close(fd)
    return result === 0
  }

  /**
   * Has the kernel tell the mark of each datagram's IP header (DSCP and ECN), and put `mark` into that of each datagram
   * sent that is told nothing else. An IPv6 socket does so for IPv4 too. A kernel that refuses neither tells nor marks.
   */
  askMarks (fd: number, family: Family, mark: number): void {
    this.#set(fd, IPPROTO_IP, IP_RECVTOS, 1)
    this.#set(fd, IPPROTO_IP, IP_TOS, mark)
    if (family !== AF_INET6) return
    this.#set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1)
    this.#set(fd, IPPROTO_IPV6, IPV6_TCLASS, mark)
  }

  /** Datagrams the kernel has dropped because the socket's buffer was full, ever (modulo 2^32). */
  receiveDrops (fd: number): number {
    return this.#get(fd, SO_MEMINFO, MEMINFO_BYTES) < 0 ? 0 : this.#value.words[MEMINFO_DROPS]!
  }

  // IPv4 packets leave without DF, so that what is too long for a way is cut by its routers, as it would be if it came from
  // its sender; the default sets DF and depends on ICMP coming back. IPv6 is never cut on the way: here it is cut as
  // soon as the path's MTU is known. A socket for IPv6 sends IPv4 too. A system that refuses does as it pleases.
  #allowFragments (fd: number, family: Family): void {
    this.#set(fd, IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_DONT)
    if (family === AF_INET6) this.#set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_DONT)
  }

  #set (fd: number, level: number, option: number, value: number): number {
    this.#value.words[0] = value
    return this.#libc.setsockopt(fd, level, option, this.#value.address, 4)
  }

  #get (fd: number, option: number, length: number): number {
    this.#value.words[14] = length
    return this.#libc.getsockopt(fd, SOL_SOCKET, option, this.#value.address, this.#value.address + 56)
  }
}

// And what is not an address at all: `::`, `0.0.0.0`.
function isMulticast (words: Uint32Array): boolean {
  if (isIPv4Words(words)) return words[3] === 0 || words[3]! >>> 28 === 0xe
  return words[0]! >>> 24 === 0xff || (words[0] === 0 && words[1] === 0 && words[2] === 0 && words[3] === 0)
}

/** The family of sockets that can reach an address of this kind. */
export function familyOf (isIPv4: boolean): Family {
  return isIPv4 ? AF_INET : AF_INET6
}
