// Who a private directory belongs to: a process, named so that a later one with the same number is not taken for it.
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { systemClock } from '#core/system-clock.js'

/** A process, and where its number means something. */
export interface Owner {
  readonly pid: number
  /** When it started, in clock ticks since the machine did: field 22 of /proc/PID/stat, proc_pid_stat(5). Undefined without /proc. */
  readonly startedTicks: string | undefined
  /** Of the machine: processes with another boot id ended with it. Undefined without /proc. */
  readonly bootId: string | undefined
  /** The numbers of another namespace say nothing here: pid_namespaces(7). Undefined without /proc. */
  readonly pidNamespace: string | undefined
  /** Folders can be shared between machines. */
  readonly host: string
}

/** This process. */
export function currentOwner (): Owner {
  return { pid: process.pid, startedTicks: statusOf(process.pid).startedTicks, bootId: systemClock.boot()?.id, pidNamespace: pidNamespace(), host: hostname() }
}

/** Whether `owner` is known to have ended. False whenever that cannot be told from here. */
export function isGone (owner: Owner, us: Owner = currentOwner()): boolean {
  if (owner.host !== us.host || owner.pidNamespace !== us.pidNamespace) return false
  if (owner.bootId !== us.bootId) return true
  if (!isThere(owner.pid)) return true
  const { state, startedTicks } = statusOf(owner.pid)
  // Z and X: it has ended, and nobody has asked how.
  return startedTicks !== undefined && (startedTicks !== owner.startedTicks || state === 'Z' || state === 'X')
}

/** As `JSON.stringify` wrote it; undefined if it is something else. */
export function ownerFrom (text: string): Owner | undefined {
  try {
    const { pid, startedTicks, bootId, pidNamespace, host } = JSON.parse(text) as Partial<Owner>
    return Number.isSafeInteger(pid) && pid! > 0 && typeof host === 'string' ? { pid: pid!, startedTicks, bootId, pidNamespace, host } : undefined
  } catch { // cut off, or not ours
    return undefined
  }
}

function isThere (pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it is somebody else's now, and so it is there.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

function statusOf (pid: number): { readonly state: string | undefined, readonly startedTicks: string | undefined } {
  try {
    // The name before them may hold blanks and brackets.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\)/s, '').trim().split(' ')
    return { state: fields[3 - 3], startedTicks: fields[22 - 3] }
  } catch { // no /proc, hidden (hidepid), or just gone
    return { state: undefined, startedTicks: undefined }
  }
}

function pidNamespace (): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch { // no /proc
    return undefined
  }
}
