// The ledger of one shard: who may hear whom, by what was sent and what control asked for. A naive model on maps of
// strings that shares nothing with the proxy's tables and is told nothing by them but what is being checked.
import type { Token } from '#wire/token.js'
import { DropReason } from '../../apps/proxy/src/core/ledger/drop-reason.js'
import { CONSUMED, FORWARD, HELD, type Verdict } from '../../apps/proxy/src/core/ledger/verdict.js'
import type { TargetSpec } from '../../apps/proxy/src/core/tables/target-table.js'
import { seenRoundMs } from '../../apps/proxy/src/state/seen-writer.js'
import { addresses, endpointOfPlace, isSamePlace, type Address } from '../cast/address-book.js'
import { Meaning, type Datagram } from '../cast/datagram.js'
import type { Watch } from './invariants.js'
import { redemptionOf, type Entry, type KnownToken, type LedgerRules, type Redemptions, type Restored, type Shown, type Word } from './ledger-entries.js'
import type { VirtualTime } from '../basics/virtual-time.js'

/** The life before this one, as its ledgers have it. */
export interface FormerLife {
  /** By shard. */
  readonly ledgers: readonly ShardLedger[]
  readonly crashedMs: number
}

/** What a shard has when it starts. */
export interface Inheritance {
  /** By client address. */
  readonly sessions: ReadonlyMap<number, Restored>
  /** Whether this is the shard of a client address. */
  readonly isOwn: (address: Address) => boolean
  /** Whether there are as many shards as before. */
  readonly isSamePlace: boolean
  /** Whether it has no room for one more. */
  readonly isFull: boolean
}

const nowhere = 'no target'

/** What a kill may cost of the changes that nothing has depended on yet: the period of saving, and a message to a worker. */
export const WRITTEN_WITHIN_MS = 150

export class ShardLedger {
  readonly #rules: LedgerRules
  readonly #time: VirtualTime
  readonly #redemptions: Redemptions
  readonly #watch: Watch
  readonly entries = new Map<number, Entry>()
  readonly tokens = new Map<Token, KnownToken>()
  // That have timed out or given way: a restart may have them once more.
  readonly #over = new Map<number, Entry>()
  candidates: readonly TargetSpec[] = []
  /** False if the proxy had no room for one of those that control named. */
  areCandidatesAll = true
  // Of the datagram that is being judged.
  #entry: Entry | undefined
  #live: KnownToken | undefined
  #wasFull = false
  #word: Word | undefined
  // It was made void here while the word was on its way: either may be first.
  #isDisputed = false
  /** Whether control hears what is asked about the store: then no token is redeemed without its word. */
  areAsksHeard = false

  constructor (rules: LedgerRules, time: VirtualTime, redemptions: Redemptions, watch: Watch) {
    this.#rules = rules
    this.#time = time
    this.#redemptions = redemptions
    this.#watch = watch
  }

  /** The session of a client address, unless it has been idle too long. */
  entryOf (address: number): Entry | undefined {
    const entry = this.entries.get(address)
    if (entry === undefined || this.#time.nowMs - entry.lastSeenMs <= this.#rules.sessionTimeoutMs) return entry
    this.#end(entry)
    return undefined
  }

  /**
   * Before the proxy sees a client's datagram: what it may make of it.
   * @param isFull whether its table of sessions is
   * @param word what control has said of it, if it has waited for that
   */
  beforeClient ({ source, token, dataPort }: Datagram, isFull: boolean, word?: Word): void {
    this.#wasFull = isFull
    this.#word = word
    this.#entry = this.entryOf(source.id)
    const known = token === undefined ? undefined : this.tokens.get(token)
    const isLive = known !== undefined && !known.isVoid && this.#time.nowMs < known.untilMs &&
      !this.#redemptions.has(redemptionOf(token!, dataPort))
    this.#live = word?.grant ?? (isLive && word?.isRefused !== true ? known : undefined)
    this.#isDisputed = word?.grant !== undefined && known?.isVoid === true
  }

  /** Whether the client of the datagram that is judged has no session. */
  get isOfStranger (): boolean { return this.#entry === undefined }

  /** Whether control has said something of it. */
  get hasWord (): boolean { return this.#word !== undefined }

  /** After it: what it did. */
  afterClient (datagram: Datagram, verdict: Verdict, shown: Shown): void {
    const entry = this.#entry
    const found = shown.placeOf(datagram.source)
    if (this.#isPutOff(verdict) || this.#isRepeated(datagram, verdict)) this.#holdPlace(datagram.source, isSamePlace(entry?.place, found), entry?.place.key ?? nowhere, found)
    else if (this.#live !== undefined && (!this.#isDisputed || verdict === CONSUMED) && datagram.meaning !== Meaning.oversize) this.#afterLiveToken(datagram, this.#live, verdict, shown)
    else if (entry === undefined) this.#afterNobody(datagram, verdict, found)
    else {
      this.#holdPlace(datagram.source, isSamePlace(entry.place, found), entry.place.key, found)
      if (datagram.token !== undefined && entry.token === datagram.token && this.#time.nowMs < entry.tokenUntilMs) {
        this.#watch.hold('ownTokensStayHere', verdict === CONSUMED, datagram.source.id)
      }
    }
  }

  // It waits for the word of the store, or does without: nothing comes of it.
  #isPutOff (verdict: Verdict): boolean {
    const { isShared } = this.#rules
    return isShared && this.#word?.grant === undefined && (verdict === HELD || verdict === DropReason.storeLate || verdict === DropReason.askLimit || verdict === DropReason.heldLimit)
  }

  // A session's own token that the shard had no room to remember.
  #isRepeated ({ token, dataPort }: Datagram, verdict: Verdict): boolean {
    return this.#rules.isShared && !this.#redemptions.has(redemptionOf(token ?? '', dataPort)) && this.#word?.grant === undefined && verdict === CONSUMED && token !== undefined && this.#entry?.token === token && this.#time.nowMs < this.#entry.tokenUntilMs
  }

  /** A client that waited has its session of another director here now, if the proxy admits it: before its first datagram is judged. */
  followed (address: Address, { place, token, tokenUntilMs }: NonNullable<Word['session']>, isFull: boolean, shown: Shown): void {
    this.#wasFull = isFull
    this.#entry = this.entryOf(address.id)
    const found = shown.placeOf(address)
    if (this.#entry !== undefined || found === undefined) return
    if (isFull) this.#giveWay(shown)
    this.#holdPlace(address, isSamePlace(place, found), place.key, found)
    this.#add(address, found)
    Object.assign(this.entries.get(address.id)!, { token, tokenUntilMs, hasRedeemed: true })
  }

  /** Another director serves a client now: its session here ends in `graceMs`, unless it gets a datagram. */
  seenElsewhere (address: number, graceMs: number): void {
    const entry = this.entryOf(address)
    if (entry !== undefined) entry.lastSeenMs = Math.min(entry.lastSeenMs, this.#time.nowMs + graceMs - this.#rules.sessionTimeoutMs)
  }

  #afterLiveToken ({ source, token }: Datagram, { place, untilMs }: KnownToken, verdict: Verdict, shown: Shown): void {
    const entry = this.#entry
    const found = shown.placeOf(source)
    if (this.#isShed(source, verdict, shown)) {
      this.#holdPlace(source, isSamePlace(entry?.place, found), entry?.place.key ?? nowhere, found)
      return
    }
    if (entry === undefined && this.#wasFull) this.#giveWay(shown)
    this.#watch.hold('answeredTokensWork', verdict === CONSUMED, token!, `ended with verdict ${verdict}`)
    if (this.#rules.isShared && this.areAsksHeard) this.#watch.hold('claimsComeFirst', this.#word?.grant !== undefined, token!)
    this.#holdPlace(source, isSamePlace(place, found), place!.key, found)
    const nowMs = this.#time.nowMs
    const changedMs = entry !== undefined && isSamePlace(entry.place, place) ? entry.changedMs : nowMs
    const traffic = { datagramsIn: entry?.datagramsIn ?? 0, bytesIn: entry?.bytesIn ?? 0, bytesOut: entry?.bytesOut ?? 0 }
    this.entries.set(source.id, { address: source, place: place!, lastSeenMs: nowMs, seenMs: [nowMs], token, tokenUntilMs: untilMs, changedMs, hasRedeemed: true, ports: changedMs === nowMs ? new Map<number, number>() : entry!.ports, ...traffic })
  }

  // A live token that meets a bound stays live. Sessions without one would have given way.
  #isShed (source: Address, verdict: Verdict, { isPrefixFull, areTargetsFull }: Shown): boolean {
    const entry = this.#entry
    if (this.#word?.grant !== undefined && verdict === DropReason.sessionLimit && areTargetsFull()) return true
    if (verdict === DropReason.prefixLimit) return entry?.hasRedeemed !== true && isPrefixFull(source)
    return verdict === DropReason.sessionLimit && entry === undefined && this.#wasFull && !this.#present().some(({ hasRedeemed }) => !hasRedeemed)
  }

  // One session that never redeemed a token may end for one that has.
  #giveWay ({ placeOf }: Shown): void {
    const gone = this.#present().find(({ address, hasRedeemed }) => !hasRedeemed && placeOf(address) === undefined)
    if (gone !== undefined) this.#end(gone)
  }

  #end (entry: Entry): void {
    this.entries.delete(entry.address.id)
    this.#over.set(entry.address.id, entry)
  }

  #present (): Entry[] {
    return [...this.entries.keys()].flatMap(address => this.entryOf(address) ?? [])
  }

  // No session and no live token: the default endpoint, for what may go there.
  #afterNobody ({ source, meaning }: Datagram, verdict: Verdict, found: TargetSpec | undefined): void {
    const mayDefault = verdict === FORWARD && (meaning === Meaning.data || (meaning === Meaning.token && this.#rules.onInvalidToken === 'default'))
    const isRight = found === undefined ? verdict !== FORWARD : mayDefault && this.candidates.some(candidate => isSamePlace(candidate, found))
    this.#holdPlace(source, isRight, mayDefault ? 'a candidate' : nowhere, found)
    if (found !== undefined) this.#add(source, found)
  }

  #add (address: Address, place: TargetSpec): void {
    const nowMs = this.#time.nowMs
    this.entries.set(address.id, { address, place, lastSeenMs: nowMs, seenMs: [nowMs], token: undefined, tokenUntilMs: 0, changedMs: nowMs, hasRedeemed: false, datagramsIn: 0, bytesIn: 0, bytesOut: 0, ports: new Map() })
  }

  /** A client's datagram leaves for an endpoint: by this session. */
  forwarded ({ source, dataPort, bytes }: Datagram, sentTo: number, fromPort: number): Entry | undefined {
    const entry = this.entryOf(source.id)
    this.#watch.hold('onlyOwnTarget', source.id, bytes, entry === undefined ? -1 : endpointOfPlace(entry.place, dataPort), sentTo)
    if (entry === undefined) return undefined
    this.#see(entry)
    entry.ports.set(dataPort, fromPort)
    entry.datagramsIn++
    entry.bytesIn += bytes.length
    return entry
  }

  /** A reply leaves for a client. */
  replied (address: Address, dataPort: number, bytes: Uint8Array, cameFrom: number): void {
    const entry = this.entryOf(address.id)
    this.#watch.hold('onlyOwnClient', address.id, bytes, entry === undefined ? -1 : endpointOfPlace(entry.place, dataPort), cameFrom)
    if (entry === undefined) return
    entry.bytesOut += bytes.length
    const { amplificationFactor } = this.#rules
    if (amplificationFactor > 0 && !entry.hasRedeemed && entry.datagramsIn === 1) {
      this.#watch.hold('repliesDoNotAmplify', address.id, entry.bytesOut, amplificationFactor * entry.bytesIn)
    }
    if (this.#rules.refreshOn === 'both') this.#see(entry)
  }

  /** The proxy has a token now. */
  granted (token: Token, place: TargetSpec, ttlMs: number, consumed: readonly number[]): void {
    if (!this.tokens.has(token)) this.tokens.set(token, { place, untilMs: this.#time.nowMs + ttlMs, isVoid: false })
    for (const dataPort of consumed) {
      const key = redemptionOf(token, dataPort)
      if (!this.#redemptions.has(key)) this.#redemptions.set(key, { token, dataPort, times: 0, atMs: this.#time.nowMs })
    }
  }

  /** The proxy has been told that a token is void. */
  madeVoid (token: Token): void {
    const known = this.tokens.get(token)
    if (known === undefined) this.tokens.set(token, { place: undefined, untilMs: 0, isVoid: true })
    else known.isVoid = true
  }

  redeemed (token: Token, dataPort: number): void {
    const key = redemptionOf(token, dataPort)
    const before = this.#redemptions.get(key)
    // One before this life of the proxy counts as well.
    const times = before === undefined ? 1 : Math.max(1, before.times) + 1
    this.#redemptions.set(key, { token, dataPort, times, atMs: this.#time.nowMs })
    // What a store loses may be redeemed once more: the book of all directors knows when.
    if (!this.#rules.isShared) this.#watch.hold('redeemedOnce', token, dataPort, times)
  }

  /** An operator has moved the session of an address. */
  moved (address: number, place: TargetSpec): void {
    const entry = this.entryOf(address)
    this.#watch.hold('targetChangesByRight', entry !== undefined, address, nowhere, place.key)
    if (entry === undefined) return
    this.#move(entry, place)
  }

  /** An operator has ended it. */
  ended (address: number): void {
    this.entries.delete(address)
  }

  /**
   * Targets are gone: every session that was on one of them.
   * @param stays by key, where another target has it by now
   * @param placeOf where the proxy has the session of an address now
   */
  left (stays: ReadonlyMap<string, TargetSpec | undefined>, placeOf: (address: Address) => TargetSpec | undefined): void {
    const isGone = (place: TargetSpec): boolean => {
      if (!stays.has(place.key)) return false
      const other = stays.get(place.key)
      return other === undefined || !isSamePlace(other, place)
    }
    const refuges = this.candidates.filter(candidate => !isGone(candidate))
    for (const { address, place } of [...this.entries.values()]) {
      const entry = this.entryOf(address.id)
      if (entry === undefined || !isGone(place)) continue
      const found = placeOf(address)
      const { onTargetGone } = this.#rules
      if (onTargetGone === 'close') {
        this.#holdPlace(address, found === undefined, nowhere, found)
        this.entries.delete(address.id)
      } else if (onTargetGone === 'default' && refuges.length > 0) {
        this.#holdPlace(address, refuges.some(refuge => isSamePlace(refuge, found)), 'a candidate', found)
        this.#move(entry, found ?? entry.place)
      } else this.#holdPlace(address, isSamePlace(place, found), place.key, found)
    }
  }

  #move (entry: Entry, place: TargetSpec): void {
    if (isSamePlace(entry.place, place)) return
    entry.changedMs = this.#time.nowMs
    entry.place = place
    entry.ports.clear()
  }

  /** A new life has begun with what the former one wrote down. */
  inherit ({ ledgers, crashedMs }: FormerLife, { sessions: restored, isOwn, isSamePlace: isSameShard, isFull }: Inheritance): void {
    const entries = ledgers.flatMap(ledger => [...ledger.entries.values()]).filter(({ address }) => isOwn(address))
    for (const { address, place, seenMs, changedMs, ports } of entries) {
      const isWritten = crashedMs - changedMs > WRITTEN_WITHIN_MS
      // Seen so short a time before the kill that nothing says so: then it counts as silent since it was seen before that,
      // unless the time between was long. Then it was written before its datagram went on.
      const knownMs = seenMs.findLast((atMs, index) => crashedMs - atMs > this.#unknownMs || this.#wasLongSilent(seenMs, index)) ?? -Infinity
      const isAlive = this.#time.nowMs - knownMs + WRITTEN_WITHIN_MS < this.#rules.sessionTimeoutMs
      const found = restored.get(address.id)
      if (!isWritten || !isAlive) continue
      // Of other shards there may be more in one than it has room for.
      this.#watch.hold('sessionsComeBack', found !== undefined || (isFull && !isSameShard), address.id, 'is lost')
      if (found === undefined) continue
      this.#watch.hold('sessionsComeBack', isSamePlace(found.place, place), address.id, `was at ${place.key} and is back at ${found.place.key}`)
      // The ports belong to the shard that had them.
      if (isSameShard) for (const [dataPort, port] of ports) this.#watch.hold('sessionsComeBack', found.ports.get(dataPort) === port, address.id, `had upstream port ${port} and has ${String(found.ports.get(dataPort))}`)
    }
    for (const [address, found] of restored) {
      this.#watch.hold('sessionsComeBack', isOwn(found.address), address, 'is in a shard that its datagrams do not reach')
      const known = ledgers.map(ledger => ledger.entries.get(address)).find(entry => entry !== undefined) ?? ledgers.map(ledger => ledger.#over.get(address)).find(entry => entry !== undefined)
      const isRight = known !== undefined && (isSamePlace(known.place, found.place) || crashedMs - known.changedMs <= WRITTEN_WITHIN_MS)
      this.#holdPlace(found.address, isRight, known?.place.key ?? nowhere, found.place)
      this.entries.set(address, { ...found, seenMs: [found.lastSeenMs], changedMs: known?.changedMs ?? crashedMs })
    }
  }

  #see (entry: Entry): void {
    const { nowMs } = this.#time
    entry.lastSeenMs = nowMs
    const firstMs = nowMs - this.#unknownMs
    while (entry.seenMs.length > 1 && entry.seenMs[1]! < firstMs) entry.seenMs.shift()
    entry.seenMs.push(nowMs)
  }

  #wasLongSilent (seenMs: readonly number[], index: number): boolean {
    return index > 0 && seenMs[index]! - seenMs[index - 1]! > this.#rules.sessionTimeoutMs / 2
  }

  // For so long before a kill it need not be known who was seen.
  get #unknownMs (): number {
    return seenRoundMs(this.#rules.sessionTimeoutMs) + WRITTEN_WITHIN_MS
  }

  /** Compares every session: `places` are those of the proxy by address, idle ones left out. */
  compare (places: ReadonlyMap<number, TargetSpec>): void {
    for (const [address, found] of places) {
      const entry = this.entryOf(address)
      this.#holdPlace(addresses[address]!, isSamePlace(entry?.place, found), entry?.place.key ?? nowhere, found)
    }
    for (const address of [...this.entries.keys()]) {
      const entry = places.has(address) ? undefined : this.entryOf(address)
      if (entry !== undefined) this.#holdPlace(entry.address, false, entry.place.key, undefined)
    }
  }

  #holdPlace ({ id }: Address, isRight: boolean, wanted: string, found: TargetSpec | undefined): void {
    this.#watch.hold('targetChangesByRight', isRight, id, wanted, found === undefined ? nowhere : `${found.key} (${found.address})`)
  }
}
