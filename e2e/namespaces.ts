// Network namespaces without a name: each is there as long as a process of ours is in it, and that ends with us, even if we are
// killed. So nothing has to be removed afterwards.
import { eventually } from '#testkit/patience.js'
import { startChild, type Child } from '#testkit/processes/child.js'
import { runProgram } from '#testkit/processes/run-program.js'
import { pathOf } from './checks.js'
import type { Program } from './programs.js'

/** What `openNamespace` runs. */
export const namespacePrograms = ['ip', 'nsenter', 'setpriv', 'unshare'] as const satisfies readonly Program[]

/** What ends a program as soon as the one that started it is gone (prctl(2), PR_SET_PDEATHSIG): put it in front. */
export const endsWithUs = ['setpriv', '--pdeathsig', 'KILL'] as const

export interface Namespace {
  /** The process that keeps it. */
  readonly pid: string
  /** What starts a program in there: put it in front of the program and its arguments. */
  readonly prefix: readonly string[]
  /** Runs a program in there to its end; returns what it wrote, throws if it failed. */
  readonly run: (...words: readonly string[]) => Promise<string>
}

/** Why this user can make no network namespaces here; undefined if they can. */
export async function whyNoNamespaces (): Promise<string | undefined> {
  const probe = await runProgram(pathOf('unshare'), ['--net', pathOf('ip'), 'link', 'add', 'c0', 'type', 'veth', 'peer', 'name', 'd0'])
  return probe.code === 0 ? undefined : `this user may not make network namespaces (${probe.stderr.trim()}); run it as root`
}

/** @param what it is called in messages */
export async function openNamespace (what: string): Promise<Namespace> {
  const [command, ...args] = [...endsWithUs, 'unshare', '--net', 'sleep', 'infinity'] as const
  const pid = String(await untilApart(startChild(what, command, args)))
  const prefix = ['nsenter', '--target', pid, '--net']
  return { pid, prefix, run: async (...words) => await orThrow(...prefix, ...words) }
}

/** Runs a program to its end; returns what it wrote, throws if it failed. */
export async function orThrow (...words: readonly string[]): Promise<string> {
  const [command = '', ...args] = words
  const { code, stdout, stderr } = await runProgram(command, args)
  if (code !== 0) throw new Error(`${words.join(' ')}: ${stderr}`)
  return stdout
}

// unshare becomes the program it starts, once it is in a network of its own.
async function untilApart (holder: Child): Promise<number> {
  await eventually(async () => {
    const [ours, its] = await Promise.all(['self', String(holder.pid)].map(async pid => (await runProgram('readlink', [`/proc/${pid}/ns/net`])).stdout))
    return its !== '' && ours !== its ? true : undefined
  }, { what: 'a network of its own', mayFail: true, pollMs: 50 })
  return holder.pid
}
