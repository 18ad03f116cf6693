// What each script of the store does, once more and by hand: the twin runs these, the real store the Lua. The conformance suite runs
// on both, and so holds them together.
import { CLAIMS_OUTLIVE_MS, MAX_REPLICAS_OF_CLIENT, VOID_FIELD, type ScriptName } from '../../apps/control/src/store/scripts.js'
import type { TwinData } from './twin-data.js'

/** Keys, and arguments as texts, as the real one gets them. The reply is what comes back over the wire. */
export type TwinScript = (data: TwinData, keys: readonly string[], args: readonly string[]) => unknown

export const twinScripts: Readonly<Record<ScriptName, TwinScript>> = {
  put: (data, [token = ''], [record = '', ttlMs]) => {
    if (data.text(token) === undefined) data.set(token, record, Number(ttlMs))
    return null
  },

  mint: (data, [token = '', claims = ''], [record = '', ttlMs, ...known]) => {
    for (let at = 0; at < known.length; at += 2) {
      if (data.hash(claims)?.has(known[at]!) !== true) data.setField(claims, known[at]!, known[at + 1]!)
    }
    if (data.text(token) === undefined) data.set(token, record, Number(ttlMs))
    outlive(data, token, claims)
    return null
  },

  claim: (data, [token = '', claims = ''], [dataPort = '', client = '', clientPrefix]) => {
    const record = data.text(token)
    if (record === undefined) return [0]
    const known = data.hash(claims)
    if (known?.has(VOID_FIELD) === true) return [3]
    const prefix = record.slice(0, record.indexOf(' '))
    if (prefix !== '-' && prefix !== clientPrefix) return [4]
    const holder = known?.get(dataPort)
    if (holder !== undefined && holder !== client) return [2]
    if (holder === undefined) {
      data.setField(claims, dataPort, client)
      outlive(data, token, claims)
    }
    return [1, record, data.ttl(token), ...data.hash(claims)!.keys()]
  },

  void: (data, [token = '', claims = ''], [ttlMs]) => {
    const wasVoid = data.hash(claims)?.has(VOID_FIELD) === true
    data.setField(claims, VOID_FIELD, '1')
    data.expire(claims, Math.max(Number(ttlMs), data.ttl(token)) + CLAIMS_OUTLIVE_MS)
    return data.text(token) !== undefined && !wasVoid ? 1 : 0
  },

  find: (data, [session = '']) => [data.text(session) ?? null, data.nowMs],

  bind: (data, [session = ''], [replica = '', json = '', ttlMs, tokenTtlMs]) => {
    const { sequence, others } = binding(data, session, replica)
    const next = Math.max((sequence ?? 0) + 1, data.nowMs)
    write(data, session, [next, endOf(data, tokenTtlMs), [replica, ...others], json], Number(ttlMs))
    return [next, others.join()]
  },

  join: (data, [session = ''], [replica = '', ttlMs]) => {
    const { sequence, endsMs, others, json } = binding(data, session, replica)
    if (sequence === undefined) return null
    write(data, session, [sequence, endsMs, [replica, ...others], json], Math.max(data.ttl(session), Number(ttlMs)))
    return [sequence, others.join()]
  },

  keep: (data, [session = ''], [replica = '', json = '', ttlMs, tokenTtlMs, mine]) => {
    const { sequence, others } = binding(data, session, replica)
    if (sequence !== undefined && sequence > Number(mine)) return [data.text(session), data.nowMs]
    write(data, session, [Number(mine), endOf(data, tokenTtlMs), [replica, ...others], json], Number(ttlMs))
    return null
  },

  drop: (data, [session = ''], [replica = '', everywhere]) => {
    const { sequence, endsMs, others, json } = binding(data, session, replica)
    if (sequence === undefined) return ''
    if (everywhere === '1' || others.length === 0) data.delete(session)
    else write(data, session, [sequence, endsMs, others, json], data.ttl(session))
    return others.join()
  },

  keys: (data, [key = ''], [proposed = '', maxAgeMs]) => {
    const [current, , since] = /^[0-9a-f]{32} \S+ \d+$/.test(data.text(key) ?? '') ? data.text(key)!.split(' ') : []
    if (current === undefined || data.nowMs - Number(since) >= Number(maxAgeMs)) data.set(key, `${proposed} ${current ?? '-'} ${data.nowMs}`, Infinity)
    return [data.text(key), data.nowMs]
  },

  announce: (data, [replicas = ''], [replica = '', json = '', ttlMs]) => {
    const live = [...data.hash(replicas) ?? []].filter(([, entry]) => Number(entry.slice(0, entry.indexOf(' '))) > data.nowMs)
    data.set(replicas, new Map([...live, [replica, `${data.nowMs + Number(ttlMs)} ${json}`]]), Math.max(data.ttl(replicas), Number(ttlMs)))
    return null
  },

  replicas: (data, [replicas = '']) => [...data.hash(replicas)?.values() ?? []]
    .map(entry => ({ endsMs: Number(entry.slice(0, entry.indexOf(' '))), json: entry.slice(entry.indexOf(' ') + 1) }))
    .filter(({ endsMs }) => endsMs > data.nowMs)
    .map(({ json }) => json),

  probe: () => null
}

interface BindingParts {
  readonly sequence?: number
  readonly endsMs: number
  readonly others: readonly string[]
  readonly json: string
}

function binding (data: TwinData, key: string, replica: string): BindingParts {
  const [, sequence, endsMs, replicas = '', json = ''] = /^(\d+) (\d+) (\S+) (.*)$/s.exec(data.text(key) ?? '') ?? []
  const others = replicas.split(',').filter(other => other !== '' && other !== '-' && other !== replica).slice(0, MAX_REPLICAS_OF_CLIENT - 1)
  return { ...(sequence !== undefined && { sequence: Number(sequence) }), endsMs: Number(endsMs ?? 0), others, json }
}

function write (data: TwinData, key: string, [sequence, endsMs, replicas, json]: readonly [number, number, readonly string[], string], ttlMs: number): void {
  data.set(key, `${sequence} ${endsMs} ${replicas.join()} ${json}`, ttlMs)
}

function endOf (data: TwinData, tokenTtlMs: string | undefined): number {
  return Number(tokenTtlMs) > 0 ? data.nowMs + Number(tokenTtlMs) : 0
}

function outlive (data: TwinData, token: string, claims: string): void {
  const life = data.ttl(token) + CLAIMS_OUTLIVE_MS
  if (data.hash(claims) === undefined) return
  if (data.ttl(claims) === Infinity || data.ttl(claims) < life) data.expire(claims, life)
}
