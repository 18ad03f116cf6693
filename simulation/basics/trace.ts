// What happened, as numbers: a hash of all of it, which shows that two runs were the same, and the last of it in words.

/** What may happen, and what its numbers mean. */
export const happenings = {
  step: ['number', 'action'],
  sent: ['address', 'dataPort', 'kind'],
  received: ['address', 'dataPort', 'verdict'],
  forwarded: ['address', 'endpoint', 'upstreamPort'],
  reply: ['endpoint', 'upstreamPort', 'verdict'],
  delivered: ['address', 'endpoint', 'dataPort'],
  asked: ['control', 'rpc', 'size'],
  answered: ['control', 'rpc', 'ok'],
  event: ['control', 'event', 'size'],
  query: ['control', 'sinceMs', 'ok'],
  shard: ['shard', 'call', 'sessions'],
  operator: ['control', 'operation', 'ok'],
  proxyStarts: ['life', 'shards', 'restored'],
  proxyCrashes: ['life', 'sessions', 'tokens'],
  controlStarts: ['control', 'controls', 'unused'],
  controlCrashes: ['control', 'tokens', 'unused'],
  controlDrains: ['control', 'tokens', 'unused'],
  synchronised: ['control', 'life', 'tokens'],
  fleet: ['server', 'becomes', 'changes'],
  directorStarts: ['director', 'directors', 'unused'],
  judged: ['address', 'dataPort', 'verdict'],
  answer: ['director', 'address', 'answer'],
  store: ['trouble', 'lastsMs', 'unused'],
  directorGone: ['director', 'sessions', 'unused']
} as const satisfies Record<string, readonly [string, string, ...string[]]>

export type Happening = keyof typeof happenings

const names = Object.keys(happenings) as Happening[]
const codeOf = Object.fromEntries(names.map((name, code) => [name, code])) as Record<Happening, number>

const FIELDS = 5
const KEPT = 60

export class Trace {
  readonly #words: Readonly<Partial<Record<string, readonly string[]>>>
  readonly #last = new Float64Array(KEPT * FIELDS)
  #count = 0
  #low = 0x811c9dc5
  #high = 0x01000193

  /** @param words for fields whose numbers stand for names, the names */
  constructor (words: Readonly<Partial<Record<string, readonly string[]>>> = {}) {
    this.#words = words
  }

  note (happening: Happening, nowMs: number, one = 0, two = 0, three = 0): void {
    const at = this.#count++ % KEPT * FIELDS
    const last = this.#last
    const code = codeOf[happening]
    last[at] = nowMs
    last[at + 1] = code
    last[at + 2] = one
    last[at + 3] = two
    last[at + 4] = three
    // Two multiplicative hashes side by side: 64 bits, and every number enters both.
    let low = Math.imul(this.#low ^ nowMs, 0x01000193)
    low = Math.imul(low ^ code, 0x01000193)
    low = Math.imul(low ^ one ^ Math.floor(one / 0x1_0000_0000), 0x01000193)
    low = Math.imul(low ^ two ^ Math.floor(two / 0x1_0000_0000), 0x01000193)
    low = Math.imul(low ^ three, 0x01000193)
    this.#low = low ^ low >>> 15
    this.#high = Math.imul(this.#high ^ this.#low, 0x85ebca6b) + code | 0
  }

  /** Stands for everything noted so far, in order. */
  get hash (): string {
    return [this.#high, this.#low].map(half => (half >>> 0).toString(16).padStart(8, '0')).join('')
  }

  /** The last of what happened, a line each. */
  lines (): string[] {
    const first = Math.max(0, this.#count - KEPT)
    return Array.from({ length: this.#count - first }, (_, index) => this.#line((first + index) % KEPT * FIELDS))
  }

  #line (at: number): string {
    const name = names[this.#last[at + 1]!]!
    const fields = happenings[name].map((field, index) => `${field} ${this.#describe(field, this.#last[at + 2 + index]!)}`)
    return `${(this.#last[at]! / 1000).toFixed(3).padStart(9)} s  ${name.padEnd(14)} ${fields.join(', ')}`
  }

  // Endpoints are the last word of their address and a port in one number.
  #describe (field: string, value: number): string {
    if (field !== 'endpoint') return this.#words[field]?.[value] ?? String(value)
    const ipv4 = Math.floor(value / 65_536)
    return `${ipv4 >>> 24}.${ipv4 >>> 16 & 255}.${ipv4 >>> 8 & 255}.${ipv4 & 255}:${value % 65_536}`
  }
}
