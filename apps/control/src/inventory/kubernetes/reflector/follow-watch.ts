// One watch, from its opening to its end: lines of its stream become changes of the collection.
import { LineSplitter } from '#rpc/line-splitter.js'
import type { Clock } from '#core/clock.js'
import type { ApiFailure } from '../api/api-failure.js'
import type { ByteStream, Query, Transport } from '../api/transport.js'
import { silent, type Attempts } from './attempts.js'
import type { CorruptReason, Intake } from './intake.js'
import { SHORT_WATCH_MS, type WatchOutcome } from './reflector-state.js'
import type { Watchdog } from './watchdog.js'

/** Until the headers of a watch, which a server sends as soon as it has taken it on. */
const OPEN_IDLE_MS = 15_000
/** One and a half times the period of bookmarks, which are a minute apart: 59.3 to 61.0 s, measured with kube-apiserver 1.36. */
const WATCH_IDLE_MS = 90_000
const WATCH_GRACE_MS = 10_000

/** Longest line of a watch: etcd holds objects of up to 1.5 MiB, and JSON in an event may be some times that. */
export const MAX_LINE_BYTES = 8 * 1024 * 1024

/** What may become of an event: `stale` was older than what is held. One that makes no sense counts as `corrupted`. */
export const eventOutcomes = ['applied', 'stale'] as const

export interface WatchDeps {
  readonly transport: Transport
  readonly attempts: Attempts
  readonly intake: Intake
  /** Of the resource, see `pathOf`. */
  readonly path: string
  readonly clock: Clock
  readonly onEvent: (outcome: typeof eventOutcomes[number]) => void
  readonly onCorrupt: (reason: CorruptReason) => void
  /** The server has said something. */
  readonly onWord: () => void
  /** It has been open for so long that it counts as one. */
  readonly onSettled: () => void
}

/** What ends a watch that should have gone on. */
type Misfortune = { readonly kind: 'failed', readonly failure: ApiFailure } | { readonly kind: 'corrupt' }

/** Watches from version `from` on, for `seconds` if nothing ends it before. */
export async function followWatch (deps: WatchDeps, from: string, seconds: number): Promise<WatchOutcome> {
  const watchdog = deps.attempts.begin(seconds * 1000 + WATCH_GRACE_MS, OPEN_IDLE_MS)
  const query: Query = { watch: 1, resourceVersion: from, allowWatchBookmarks: 'true', timeoutSeconds: seconds }
  const outcome = await follow(deps, query, watchdog, seconds * 1000)
  watchdog.end()
  return outcome
}

async function follow (deps: WatchDeps, query: Query, watchdog: Watchdog, lengthMs: number): Promise<WatchOutcome> {
  const { transport, path, clock, onSettled } = deps
  const onLife = (): void => { watchdog.touch(WATCH_IDLE_MS) }
  const opened = await transport.watch(path, query, { signal: watchdog.signal, onLife })
  if (!opened.ok) return { kind: 'failed', failure: watchdog.overrun === undefined ? opened.error : silent, lastedMs: 0 }
  const startMs = clock.now()
  const cancelSettling = clock.after(SHORT_WATCH_MS, onSettled)
  const end = await readEvents(deps, opened.value)
  cancelSettling()
  opened.value.destroy()
  const lastedMs = clock.now() - startMs
  if (typeof end !== 'string') return { ...end, lastedMs }
  const isInTime = end === 'closed' && lastedMs >= lengthMs - WATCH_GRACE_MS
  return { kind: 'ended', end: watchdog.overrun ?? (isInTime ? 'timed_out' : end), lastedMs }
}

// Nothing but reading is inside of a try: what the collection or its listeners throw is not a broken connection.
async function readEvents (deps: WatchDeps, stream: ByteStream): Promise<Misfortune | 'closed' | 'broken'> {
  const decoder = new LineDecoder()
  for (;;) {
    const chunk = await stream.next()
    if (!chunk.ok || deps.attempts.isStopped) return 'broken'
    if (chunk.value === undefined) return decoder.isMidLine ? 'broken' : 'closed'
    deps.onWord()
    const lines = decoder.push(chunk.value)
    if (lines === undefined) return corrupt(deps, 'too_long')
    for (const line of lines) {
      const misfortune = readLine(deps, line)
      if (misfortune !== undefined) return misfortune
    }
  }
}

function readLine (deps: WatchDeps, line: string): Misfortune | undefined {
  const taken = deps.intake.take(line)
  switch (taken.kind) {
    case 'failed': return taken
    case 'corrupt': return corrupt(deps, taken.reason)
  }
  deps.onEvent(taken.kind)
  return undefined
}

function corrupt ({ onCorrupt }: WatchDeps, reason: CorruptReason): Misfortune {
  onCorrupt(reason)
  return { kind: 'corrupt' }
}

/** Bytes of a watch in, lines out. */
export class LineDecoder {
  #lines: string[] = []
  readonly #splitter = new LineSplitter(MAX_LINE_BYTES, line => { this.#lines.push(line) })

  /** True if a line has begun and not ended: a stream that closes now was cut off. */
  get isMidLine (): boolean {
    return this.#splitter.isMidLine
  }

  /** The lines that `chunk` completes; undefined once a line is longer than `MAX_LINE_BYTES`. */
  push (chunk: Buffer): string[] | undefined {
    const isWhole = this.#splitter.push(chunk).ok
    const lines = this.#lines
    this.#lines = []
    return isWhole ? lines : undefined
  }
}
