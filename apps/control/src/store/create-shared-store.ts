// A SharedStore of any backend: which script a call is, with which keys, and what its reply means. Calls are timed and counted
// here, and nothing that comes back leaves unchecked.
import { err, ok, type Result } from '#core/result.js'
import type { Token } from '#wire/token.js'
import { bindingFrom, infoFrom, jsonOfBinding, jsonOfInfo, keysFrom, messageFrom, replicasFrom, replicaText, textOfMessage, textOfToken, tokenFrom, type RecordFault } from './records.js'
import type { Claim, ClaimOutcome, Place, SharedBinding, SharedStore, StoreCall, StoreEvents, StoreResult } from './shared-store.js'
import type { OpenBackend } from './store-backend.js'

export interface SharedStoreOptions {
  /** What every key and channel begins with, as configured. */
  readonly prefix: string
  /** The name of this replica. No other one has it. */
  readonly replica: string
  /** Monotonic, in ms. */
  readonly now: () => number
  readonly events: StoreEvents
}

/** Records of one call that are under way at once. */
const BATCH = 500

export function createSharedStore ({ prefix, replica, now, events }: SharedStoreOptions, openBackend: OpenBackend): SharedStore {
  const names = namesOf(prefix)
  const backend = openBackend([names.toAll, names.toReplica(replica)], {
    onUp: events.onUp,
    onDown: events.onDown,
    onText: text => {
      const read = messageFrom(text)
      if (read.ok && read.value.from !== replica) events.onMessage(read.value.message)
      if (!read.ok && read.error === 'newer') events.onNewerRecord()
    }
  })
  const { run } = backend

  const counted = async <Value>(call: StoreCall, asked: Promise<StoreResult<Value>>): Promise<StoreResult<Value>> => {
    const begunMs = now()
    const result = await asked
    events.onCall(call, result.ok ? 'ok' : result.error, (now() - begunMs) / 1000)
    return result
  }

  // What a newer director wrote is as good as not there; what cannot be read is an error of the store.
  const settled = <Value, Other>(read: Result<Value, RecordFault>, other: Other): StoreResult<Value | Other> => {
    if (read.ok) return read
    if (read.error === 'unsound') return err('refused')
    events.onNewerRecord()
    return ok(other)
  }

  const outcomeFrom = (reply: unknown): StoreResult<ClaimOutcome> => {
    if (!Array.isArray(reply)) return err('refused')
    const [code, record, ttlMs, ...consumed] = reply as readonly unknown[]
    if (code !== 1) {
      const verdict = refusals.get(code)
      return verdict === undefined ? err('refused') : ok({ verdict })
    }
    const token = settled(tokenFrom(record), undefined)
    if (!token.ok) return token
    if (token.value === undefined) return ok({ verdict: 'unknown' })
    if (!isCount(ttlMs) || ttlMs === 0) return ok({ verdict: 'unknown' })
    return ok({ verdict: 'live', token: token.value, ttlMs, consumed: consumed.map(String).sort() })
  }

  const bindingOf = (reply: unknown): StoreResult<SharedBinding | undefined> => {
    const [record, nowMs] = Array.isArray(reply) ? reply as readonly unknown[] : []
    if (!isCount(nowMs)) return err('refused')
    return record === null ? ok(undefined) : settled(bindingFrom(record, nowMs), undefined)
  }

  return {
    get status () { return backend.status },
    get reason () { return backend.reason },
    get refusal () { return backend.refusal },
    start: backend.start,

    mint: async (token, shared, ttlMs, claims) => await counted('mint', (async () => {
      const known = claims === undefined ? [] : [...claims].flat()
      return done(await run(claims === undefined ? 'put' : 'mint', names.token(token), [textOfToken(shared), life(ttlMs), ...known]))
    })()),

    claim: async ({ token, dataPort, client, clientPrefix }: Claim) => await counted('claim', (async () =>
      then(await run('claim', names.token(token), [dataPort, client, clientPrefix]), outcomeFrom))()),

    makeVoid: async (tokens, ttlMs) => await counted('void', (async () => {
      const known: Token[] = []
      const made = await inBatches(tokens, async token => {
        const reply = await run('void', names.token(token), [life(ttlMs)])
        if (reply.ok && reply.value === 1) known.push(token)
        return reply
      })
      return then(made, () => ok(known))
    })()),

    find: async client => await counted('find', (async () =>
      then(await run('find', [names.session(client)], []), bindingOf))()),

    bind: async ({ client, binding, ttlMs }, at) => await counted('bind', (async () => {
      const args = [replicaText(at), jsonOfBinding(binding), life(ttlMs), Math.ceil(binding.tokenTtlMs ?? 0)]
      return then(await run('bind', [names.session(client)], args), placeFrom)
    })()),

    join: async (client, at, ttlMs) => await counted('join', (async () =>
      then(await run('join', [names.session(client)], [replicaText(at), life(ttlMs)]), (reply): StoreResult<Place | undefined> => reply === null ? ok(undefined) : placeFrom(reply)))()),

    keep: async (keeps, at) => await counted('keep', (async () => {
      const newer = new Map<string, SharedBinding>()
      const kept = await inBatches(keeps, async ({ client, binding, ttlMs, sequence }) => {
        const args = [replicaText(at), jsonOfBinding(binding), life(ttlMs), Math.ceil(binding.tokenTtlMs ?? 0), sequence]
        const read = then(await run('keep', [names.session(client)], args), reply => reply === null ? ok(undefined) : bindingOf(reply))
        if (read.ok && read.value !== undefined) newer.set(client, read.value)
        return read
      })
      return then(kept, () => ok(newer))
    })()),

    drop: async (client, at, everywhere) => await counted('drop', (async () =>
      then(await run('drop', [names.session(client)], [replicaText(at), everywhere ? 1 : 0]), reply => ok(replicasFrom(reply))))()),

    keys: async (propose, maxAgeMs) => await counted('keys', (async () =>
      then(await run('keys', [names.key], [propose, Math.ceil(maxAgeMs)]), reply => {
        const [record, nowMs] = Array.isArray(reply) ? reply as readonly unknown[] : []
        const read = isCount(nowMs) ? keysFrom(record, nowMs) : err('unsound' as const)
        return read.ok ? read : err('refused')
      }))()),

    announce: async (info, ttlMs) => await counted('announce', (async () =>
      done(await run('announce', [names.replicas], [replicaText(info.replica), jsonOfInfo(info), life(ttlMs)])))()),

    replicas: async () => await counted('replicas', (async () => then(await run('replicas', [names.replicas], []), reply => {
      if (!Array.isArray(reply)) return err('refused')
      return ok(reply.flatMap(text => {
        const read = settled(infoFrom(text), undefined)
        return read.ok && read.value !== undefined ? [read.value] : []
      }))
    }))()),

    send: (to, message) => {
      void counted('send', backend.publish(to === undefined ? names.toAll : names.toReplica(to), textOfMessage(replica, message)))
    },
    close: backend.close
  }
}

const refusals: ReadonlyMap<unknown, Exclude<ClaimOutcome['verdict'], 'live'>> = new Map([[0, 'unknown'], [2, 'consumed'], [3, 'void'], [4, 'not_theirs']])

// A token and its claims are in one slot of a cluster: what is in braces decides.
function namesOf (prefix: string): {
  readonly key: string
  readonly replicas: string
  readonly toAll: string
  readonly toReplica: (replica: string) => string
  readonly token: (token: string) => readonly [string, string]
  readonly session: (client: string) => string
} {
  const start = `${prefix}1:`
  return {
    key: `${start}key`,
    replicas: `${start}replicas`,
    toAll: `${start}all`,
    toReplica: replica => `${start}to:${replica}`,
    token: token => [`${start}t:{${token}}`, `${start}t:{${token}}:c`],
    session: client => `${start}s:${client}`
  }
}

function then<Value> (reply: StoreResult<unknown>, read: (reply: unknown) => StoreResult<Value>): StoreResult<Value> {
  return reply.ok ? read(reply.value) : reply
}

function done (reply: StoreResult<unknown>): StoreResult<undefined> {
  return reply.ok ? ok(undefined) : reply
}

function placeFrom (reply: unknown): StoreResult<Place> {
  const [sequence, replicas] = Array.isArray(reply) ? reply as readonly unknown[] : []
  return isCount(sequence) ? ok({ sequence, replicas: replicasFrom(replicas) }) : err('refused')
}

/** Runs `each` for all of them, some at a time; the first failure ends it. */
async function inBatches<Item> (items: readonly Item[], each: (item: Item) => Promise<StoreResult<unknown>>): Promise<StoreResult<undefined>> {
  for (let at = 0; at < items.length; at += BATCH) {
    const results = await Promise.all(items.slice(at, at + BATCH).map(each))
    const failed = results.find(result => !result.ok)
    if (failed?.ok === false) return failed
  }
  return ok(undefined)
}

function isCount (value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

// The store takes no fractions, and no life of 0.
function life (ms: number): number {
  return Math.max(1, Math.ceil(ms))
}
