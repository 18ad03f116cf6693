// Which sockets have something to read: epoll(7), level-triggered, and an eventfd by which other threads end a wait.
//
//   struct epoll_event   x86-64, packed, 12 bytes:  0 events   4 data (8 bytes)
//                        arm64, 16 bytes:           0 events   8 data (8 bytes)
import { arch } from 'node:os'
import { EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLLIN, type Libc } from './libc.js'
import { Memory } from './memory.js'
import { SystemError } from './udp-socket.js'

const EVENT_WORDS = arch() === 'x64' ? 3 : 4
const DATA_WORD = EVENT_WORDS - 2

/** Most events taken from the kernel at once. */
const MAX_EVENTS = 64

/** The id of a wake-up among the ids of a wait. */
export const WOKEN = 0xffff_ffff

export class Epoll {
  readonly #libc: Libc
  readonly #epoll: number
  readonly #events: Memory
  readonly #event: Memory
  /** The eventfd: eight bytes of a number above 0, written to it, end the wait. */
  readonly wakeFd: number

  constructor (libc: Libc) {
    this.#libc = libc
    this.#events = new Memory(libc, MAX_EVENTS * 16)
    this.#event = new Memory(libc, 16)
    this.#epoll = orThrow('epoll_create1', libc.epollCreate())
    this.wakeFd = orThrow('eventfd', libc.eventfd())
    this.add(this.wakeFd, WOKEN)
  }

  /** Watches `fd`; `id` is what a wait calls it, below 2^32. Throws SystemError. */
  add (fd: number, id: number): void {
    this.#event.words[0] = EPOLLIN
    this.#event.words[DATA_WORD] = id
    orThrow('epoll_ctl', this.#libc.epollCtl(this.#epoll, EPOLL_CTL_ADD, fd, this.#event.address))
  }

  remove (fd: number): void {
    this.#libc.epollCtl(this.#epoll, EPOLL_CTL_DEL, fd, this.#event.address)
  }

  /** Waits until something can be read, at most `timeoutMs` (-1: for ever). Returns how many events there are; `id` names them. */
  wait (timeoutMs: number): number {
    return Math.max(0, this.#libc.epollWait(this.#epoll, this.#events.address, MAX_EVENTS, timeoutMs))
  }

  id (event: number): number {
    return this.#events.words[event * EVENT_WORDS + DATA_WORD]!
  }

  /** Takes note of the wake-ups so far; the next wait does not end because of them. */
  clearWakeUps (): void {
    this.#libc.read(this.wakeFd, this.#event.address, 8)
  }

  close (): void {
    this.#libc.close(this.wakeFd)
    this.#libc.close(this.#epoll)
  }
}

function orThrow (call: string, result: number): number {
  if (result < 0) throw new SystemError(call, result)
  return result
}
