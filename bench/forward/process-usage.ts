// What a process and its descendants use, from /proc (proc(5)).
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** The process and its descendants, as far as they are there. */
export function processTree (pid: number): readonly number[] {
  const children = threadsOf(pid).flatMap(thread => read(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number))
  return [pid, ...children.flatMap(processTree)]
}

/** Processor time of all threads, user and system, in µs. The scheduler's own count: that of `stat` has ticks of 10 ms. */
export function cpuMicros (pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + threadsOf(pid).reduce((ofPid, thread) => ofPid + threadMicros(pid, thread), 0), 0)
}

/** Resident memory in bytes. */
export function residentBytes (pid: number): number {
  return kibibytesOf(pid, 'VmRSS') * 1024
}

/** The most resident memory it ever had, in bytes. */
export function peakResidentBytes (pid: number): number {
  return kibibytesOf(pid, 'VmHWM') * 1024
}

/** Datagrams that the kernel dropped at the UDP sockets of these processes because they were full, since they are open. */
export function socketDrops (pids: readonly number[]): number {
  const inodes = new Set(pids.flatMap(socketInodes))
  return ['/proc/net/udp', '/proc/net/udp6'].reduce((sum, table) => sum + dropsIn(read(table), inodes), 0)
}

/** Whether anybody on this machine has this UDP port of an IPv4 address. */
export function isBound (port: number): boolean {
  return read('/proc/net/udp').includes(`:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000`)
}

function kibibytesOf (pid: number, field: string): number {
  const [, kibibytes = NaN] = new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(read(`/proc/${pid}/status`)) ?? []
  return Number(kibibytes)
}

// A line is: slot, local, remote, state, queues, timer, retransmits, user, timeout, inode, references, pointer, drops.
function dropsIn (table: string, inodes: ReadonlySet<string>): number {
  return table.split('\n').slice(1).reduce((sum, line) => {
    const cells = line.trim().split(/\s+/)
    return inodes.has(cells[9] ?? '') ? sum + Number(cells[12]) : sum
  }, 0)
}

function socketInodes (pid: number): readonly string[] {
  return list(`/proc/${pid}/fd`).flatMap(fd => {
    try {
      const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? []
      return inode === undefined ? [] : [inode]
    } catch { // ENOENT: closed meanwhile
      return []
    }
  })
}

function threadMicros (pid: number, thread: string): number {
  const [nanoseconds = ''] = read(`/proc/${pid}/task/${thread}/schedstat`).split(' ')
  if (nanoseconds !== '') return Number(nanoseconds) / 1000
  // A kernel without these counts. The name may have blanks and parentheses in it; user and system time are 14 and 15.
  const stat = read(`/proc/${pid}/task/${thread}/stat`)
  const cells = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const TICK_MICROS = 10_000
  return (Number(cells[11] ?? 0) + Number(cells[12] ?? 0)) * TICK_MICROS
}

function threadsOf (pid: number): readonly string[] {
  return list(`/proc/${pid}/task`)
}

function list (folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch { // ENOENT, ESRCH: the process is gone
    return []
  }
}

function read (file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch { // ENOENT, ESRCH: the process or thread is gone, or this system has no such table
    return ''
  }
}
