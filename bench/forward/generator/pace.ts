// Sending at a rate, by looks at the clock with naps between them.
import { writeFileSync } from 'node:fs'

/** Until the end of `seconds`, or until `count` are sent; at `perSecond`, or as fast as can be. */
export interface Sending {
  readonly seconds?: number
  readonly count?: number
  readonly perSecond?: number
}

export interface Sent {
  readonly sent: number
  readonly seconds: number
}

// Between two looks at the clock; the kernel makes about 50 µs more of it unless it is told not to.
const NAP_MS = 0.03

const nobody = new Int32Array(new SharedArrayBuffer(4))

try {
  writeFileSync('/proc/self/timerslack_ns', '1000')
} catch { // ENOENT, EPERM: naps are longer then, and datagrams come in larger bunches
}

export function nap (): void {
  Atomics.wait(nobody, 0, 0, NAP_MS)
}

/** Calls `send` with how many are due, again and again; it returns how many of them were sent. */
export function run ({ seconds = Infinity, count = Infinity, perSecond = Infinity }: Sending, send: (due: number) => number, idle: () => void): Sent {
  const start = performance.now()
  let sent = 0
  let elapsed = 0
  while (sent < count && elapsed < seconds) {
    const due = Math.min(count, perSecond === Infinity ? Infinity : Math.floor(elapsed * perSecond)) - sent
    const accepted = due > 0 ? send(due) : 0
    sent += accepted
    if (accepted === 0 || accepted >= due) idle()
    elapsed = (performance.now() - start) / 1000
  }
  return { sent, seconds: elapsed }
}
