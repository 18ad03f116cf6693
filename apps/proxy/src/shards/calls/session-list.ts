// Pages of sessions, filtered first and cut afterwards. The cursor is a slot number, so a session that lives through the
// whole listing is listed once, whatever comes and goes beside it; and a page costs what it holds and never a copy of the
// table. A client with its port is looked up, everybody else is looked for, in slices.
import type { Slices } from '#core/slices.js'
import { addressWords, formatAddress } from '#wire/address.js'
import type { Session, SessionsPage } from '#rpc/contract.js'
import type { Clock } from '#core/clock.js'
import type { Core } from '../../core/core.js'
import type { SessionTable } from '../../core/tables/session-table.js'
import { defaultSlice, SliceWork } from '../../core/tables/slice-size.js'
import type { HeldTarget } from '../../core/tables/target-table.js'
import { clientKeyFrom } from './client-key.js'
import type { Translator } from './translate.js'

export interface SessionListQuery {
  readonly cursor?: number
  readonly limit?: number
  readonly client?: string
  readonly target?: string
}

/** Sessions in a page that says nothing else. */
export const DEFAULT_PAGE = 100

export function * listSessions ({ state, operations }: Core, translator: Translator, query: SessionListQuery, clock: Pick<Clock, 'now'>): Slices<SessionsPage> {
  const { cursor = 0, limit = DEFAULT_PAGE } = query
  const { sessions, targets } = state
  const client = clientFrom(query.client)
  const isTarget = targetFilter(query.target)
  const shown: Session[] = []
  let total = 0
  let nextCursor: number | undefined
  let now = clock.now()
  const work = new SliceWork(state.options.slice ?? defaultSlice)
  const [first, end] = client === undefined ? [0, 0] : rangeOf(sessions, client)
  for (let slot = first; slot < Math.min(end, sessions.highWater); slot++) {
    work.look()
    if (work.isOver()) now = yield
    if (!state.isLive(slot, now) || !client!.is(sessions, slot) || !isTarget(targets.get(sessions.target(slot)))) continue
    total++
    if (slot < cursor) continue
    if (shown.length === limit) nextCursor ??= slot
    else {
      shown.push(translator.session(operations.viewOf(slot, now)))
      work.change()
    }
  }
  return nextCursor === undefined ? { sessions: shown, total } : { sessions: shown, total, nextCursor }
}

interface ClientFilter {
  /** The whole client address, with its port, if that is known. */
  readonly key: Uint32Array | undefined
  readonly is: (sessions: SessionTable, slot: number) => boolean
}

const anyone: ClientFilter = { key: undefined, is: () => true }

// `ip`, `ip:port` or `[ip]:port`, in any spelling of the address; undefined for what is not a client.
function clientFrom (text: string | undefined): ClientFilter | undefined {
  if (text === undefined) return anyone
  const ip = addressWords(text)
  if (ip !== undefined) return { key: undefined, is: (sessions, slot) => sessions.hasAddress(slot, ip) }
  const key = clientKeyFrom(text)
  return key && { key, is: () => true }
}

// Slots from the first to below the second: all, or the one that a client address has.
function rangeOf (sessions: SessionTable, { key }: ClientFilter): readonly [number, number] {
  if (key === undefined) return [0, Infinity]
  const slot = sessions.find(key)
  return slot < 0 ? [0, 0] : [slot, slot + 1]
}

// The key, the IP, or `ip:port` of any of its ports.
function targetFilter (wanted: string | undefined): (target: HeldTarget) => boolean {
  if (wanted === undefined) return () => true
  const ip = ipOf(wanted)
  return target => wanted === target.key || ip === target.address ||
    target.ports.some(port => port > 0 && (wanted === `${target.address}:${port}` || wanted === `[${target.address}]:${port}`))
}

function ipOf (text: string): string | undefined {
  const words = addressWords(text)
  return words === undefined ? undefined : formatAddress(words)
}
