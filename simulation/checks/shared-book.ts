// What directors that share a store have promised together, in books of its own: which tokens there are and who has redeemed
// them, and where each client was bound last. It looks into the store to know what that has lost, and for nothing else.
import type { Config } from '#config/schema.js'
import type { Target } from '#rpc/contract.js'
import type { Asked } from '#rpc/replica-schemas.js'
import type { Token } from '#wire/token.js'
import type { VirtualTime } from '../basics/virtual-time.js'
import type { Address } from '../cast/address-book.js'
import { Meaning, type Datagram } from '../cast/datagram.js'
import type { WorldStore } from '../cast/world-store.js'
import { FORWARD, type Verdict } from '../../apps/proxy/src/core/ledger/verdict.js'
import { REST_MS } from '../../apps/proxy/src/core/asks/resting-clients.js'
import { SEEN_ELSEWHERE_MS } from '../../apps/proxy/src/core/sessions/elsewhere.js'
import { DropReason } from '../../apps/proxy/src/core/ledger/drop-reason.js'
import type { TargetSpec } from '../../apps/proxy/src/core/tables/target-table.js'
import { addresses, addressFromText, clientOf, isSamePlace } from '../cast/address-book.js'
import { isGone, type InventoryView } from './inventory-view.js'
import type { Watch } from './invariants.js'
import type { Entry, Word } from './ledger-entries.js'
import type { BindingWrite, Claim, ClaimOutcome, StoreResult } from '../../apps/control/src/store/shared-store.js'
import type { Promiser } from './promiser.js'
import type { TokenBook } from './token-book.js'

export interface SharedBookOptions {
  readonly time: VirtualTime
  readonly watch: Watch
  readonly config: Config
  readonly store: WorldStore
  /** How long what one director does may take to be known to the others, in ms, while all is well. */
  readonly knownWithinMs: number
  /** Whether all is answered in time while all is well. */
  readonly isQuick: boolean
}

interface Redemption {
  readonly client: Address
  readonly director: number
  /** Whether the store has its claim, as far as anybody saw. */
  isClaimed: boolean
  /** Whether the store had lost the token, too, when it lost the claim: then both come back together. */
  isLostWhole: boolean
}

interface Known {
  readonly target: Target
  readonly control: Promiser
  readonly director: number
  readonly untilMs: number
  readonly madeMs: number
  /** Whether others can know the key of its mark. */
  readonly isMarkKnown: boolean
  isTakenBack: boolean
  /** Data ports on which the store has ever said that somebody may have it. */
  readonly claimed: Set<string>
  /** When the one who took it back was told that it is void. */
  voidMs: number | undefined
  /** By data port. */
  readonly redemptions: Map<number, Redemption>
}

interface Bound {
  readonly place: TargetSpec
  readonly sinceMs: number
  readonly director: number
}

/** An ask, and when it was asked at which director. */
export interface SharedAsk extends Asked {
  readonly address: Address
  readonly askedMs: number
}

/** What becomes of a token that is not known, or void: a session at the default endpoint, or a reason. */
const refusals: ReadonlySet<Verdict> = new Set<Verdict>([
  FORWARD, DropReason.noSession, DropReason.noPort, DropReason.draining, DropReason.tokenUnknown, DropReason.tokenForged, DropReason.tokenExpired, DropReason.tokenConsumed, DropReason.tokenClient
])

export class SharedBook {
  /** What each director has promised by itself. */
  readonly books = new Set<Pick<TokenBook, 'takenBack'>>()
  /** What the inventories of each director's control processes were given, by its number. */
  readonly views = new Map<number, () => readonly InventoryView[]>()
  /** Since when control and proxy of each director have been in step, by its number; Infinity: they are not. */
  readonly inStep = new Map<number, () => number>()
  readonly #options: SharedBookOptions
  readonly #tokens = new Map<string, Known>()
  // Tokens and clients whose records somebody else has written.
  readonly #forged = new Set<string>()
  // By token, data port and client: what the store said last, to which director, and when.
  readonly #heard = new Map<string, { readonly director: number, readonly atMs: number, readonly isLive: boolean }>()
  // By client, the newest that the store has acknowledged.
  readonly #newest = new Map<string, { readonly sequence: number, readonly target: Target, readonly atMs: number }>()
  // By director and client address, when it was last said that it has no session elsewhere.
  readonly #noneMs = new Map<string, number>()
  // Who took over a client last, by its address.
  readonly #served = new Map<number, { readonly director: number, readonly sinceMs: number }>()
  // By client address, the latest last; places within reach of what is under way, and the latest.
  readonly #bounds = new Map<number, Bound[]>()

  constructor (options: SharedBookOptions) {
    this.#options = options
    options.store.onLoss = lose => { this.#losing(lose) }
    options.store.onForged = of => { this.#forged.add(of) }
  }

  /** A query was answered with it. */
  answered (token: Token, made: { readonly control: Promiser, readonly director: number, readonly target: Target, readonly untilMs: number }): void {
    this.#tokens.set(token, { ...made, madeMs: this.#options.time.nowMs, isMarkKnown: this.#options.store.hasReached(made.director), isTakenBack: false, claimed: new Set(), voidMs: undefined, redemptions: new Map() })
  }

  /** Somebody has begun to make it void. */
  takenBack (token: Token): void {
    const known = this.#tokens.get(token)
    if (known === undefined || known.isTakenBack) return
    known.isTakenBack = true
    for (const book of this.books) book.takenBack(token)
  }

  /** Somebody was told that it is void everywhere. */
  revoked (token: Token): void {
    const known = this.#tokens.get(token)
    if (known !== undefined) known.voidMs ??= this.#options.time.nowMs
  }

  /** Whether somebody has redeemed it on one of the data ports, or claimed it and not got a session. */
  isClaimed (token: Token): boolean {
    const known = this.#tokens.get(token)
    return known !== undefined && (known.redemptions.size > 0 || known.claimed.size > 0)
  }

  /** A client has redeemed it at a director, by the word of control or without. */
  redeemed (director: number, token: Token, dataPort: number, client: Address, hasWord: boolean): void {
    const known = this.#tokens.get(token)
    if (known === undefined) return
    const first = known.redemptions.get(dataPort)
    const holder = this.#holderOf(token, dataPort)
    if (first === undefined) known.redemptions.set(dataPort, { client, director, isClaimed: holder === clientOf(client), isLostWhole: false })
    else if (first.client !== client) this.#options.watch.hold('redeemedOnce', token, dataPort, !hasWord || this.#mayRedeemAgain(known, first, director, holder === clientOf(client)) ? 1 : 2)
  }

  // The store has lost the first claim and not the token, or never had it; or the second one did without the store.
  #mayRedeemAgain (known: Known, first: Redemption, director: number, isInStore: boolean): boolean {
    const { store, time, config: { limits: { storeDeadlineMs } } } = this.#options
    if (store.isSplit) return true
    if (!isInStore) return (store.wellSinceMs(director) ?? Infinity) > time.nowMs - storeDeadlineMs
    const isMintersOwn = first.director === known.director && known.control.isAlive
    return !first.isClaimed && !(first.isLostWhole && isMintersOwn)
  }

  /** The store has answered a director. */
  storeSaid (director: number, { token, dataPort, client }: Claim, outcome: StoreResult<ClaimOutcome>): void {
    if (!outcome.ok) return
    const isLive = outcome.value.verdict === 'live'
    this.#heard.set(`${token} ${dataPort} ${client}`, { director, atMs: this.#options.time.nowMs, isLive })
    const known = this.#tokens.get(token)
    if (isLive) known?.claimed.add(dataPort)
  }

  /** The store has acknowledged where a client goes. */
  boundInStore ({ client, binding: { target } }: BindingWrite, sequence: number): void {
    this.#forged.delete(client)
    if (sequence > (this.#newest.get(client)?.sequence ?? 0)) this.#newest.set(client, { sequence, target, atMs: this.#options.time.nowMs })
  }

  /** A director takes a session out of the store. */
  droppedInStore (client: string): void {
    this.#newest.delete(client)
  }

  /** A director has written a session again. */
  keptInStore (client: string): void {
    const { watch, store } = this.#options
    const newest = this.#newest.get(client)
    const kept = store.bindingOf(client)
    if (newest === undefined || kept === undefined || store.isSplit || kept.sequence > newest.sequence || this.#forged.has(client)) return
    const isNewest = kept.sequence === newest.sequence && kept.json.includes(JSON.stringify(newest.target.address))
    watch.hold('bindingFollows', isNewest, addressFromText(client).id, 'has an older binding again')
  }

  /** A director answers its proxy. */
  said (director: number, ask: SharedAsk, word: Word, reason: string | undefined): void {
    if (ask.token === undefined) this.#saidOfClient(director, ask, word)
    else this.#saidOfToken(director, ask, ask.token as Token, word, reason)
  }

  #saidOfToken (director: number, { dataPort, address, askedMs }: SharedAsk, token: Token, word: Word, reason: string | undefined): void {
    const { time, watch, store, isQuick, knownWithinMs } = this.#options
    const known = this.#tokens.get(token)
    if (known === undefined) return
    const isWell = (store.wellSinceMs(director) ?? Infinity) < askedMs
    const heard = this.#heard.get(`${token} ${dataPort} ${clientOf(address)}`)
    const isHeard = heard?.director === director && heard.atMs >= askedMs
    if (reason === 'unknown' || reason === 'expired') {
      const isKnown = time.nowMs >= known.untilMs || (isHeard && !heard.isLive)
      watch.hold('storeSilenceIsNoRefusal', isKnown, token, address.id, 'was refused, and the store has not said so')
    }
    if (word.grant !== undefined) {
      watch.hold('targetsAreAllowed', isSameTarget(word.grant.place, known.target, this.#dataPorts), token, `${word.grant.place?.key ?? 'nothing'} at ${word.grant.place?.address ?? ''}`)
      if (isWell && known.voidMs !== undefined && known.voidMs < askedMs) watch.hold('voidTokensStayVoid', !store.isVoid(token), token, 'and the store says that it is void')
      return
    }
    if (!isWell || known.isTakenBack || this.#forged.has(token) || time.nowMs >= known.untilMs || !store.hasToken(token)) return
    const holder = this.#holderOf(token, this.#dataPorts.indexOf(dataPort))
    if (holder !== undefined && holder !== clientOf(address)) return
    if (word.verdict === 'refused') watch.hold('answeredTokensWork', false, token, `was refused at another director: ${String(reason)}`)
    // Without room for what the store said the proxy would forget that it is redeemed.
    else if (isQuick && store.wellSinceMs(director)! < askedMs - knownWithinMs && !(isHeard && heard.isLive)) watch.hold('answeredTokensWork', false, token, 'was not answered, and the store is well')
  }

  #saidOfClient (director: number, { address, client, askedMs }: SharedAsk, word: Word): void {
    const { watch, store } = this.#options
    const bounds = this.#bounds.get(address.id) ?? []
    if (word.session !== undefined) {
      const { place } = word.session
      const first = bounds.findIndex(({ sinceMs }) => sinceMs > askedMs - this.#options.knownWithinMs)
      const possible = first < 0 ? bounds.slice(-1) : bounds.slice(Math.max(0, first - 1))
      const isWell = store.isWellSince((bounds.at(-1)?.sinceMs ?? 0) - this.#options.knownWithinMs)
      const newest = this.#newestOf(address.id)
      watch.hold('bindingFollows', !isWell || newest === undefined || possible.some(bound => isSamePlace(bound.place, place)) || newest.key === place.key, address.id, `was bound to ${String(bounds.at(-1)?.place.key)} and goes on at ${place.key}`)
    }
    if (word.verdict !== 'none') return
    this.#noneMs.set(`${director} ${client}`, this.#options.time.nowMs)
    const stored = this.#newest.get(client)
    if (stored === undefined || stored.atMs >= askedMs || this.#forged.has(client) || store.bindingOf(client) === undefined || (store.wellSinceMs(director) ?? Infinity) >= askedMs) return
    watch.hold('bindingFollows', this.#mayBeGone(director, stored.target, askedMs), address.id, `has its session at ${stored.target.key}, and director ${director} found none`)
  }

  // The inventory says that the target is gone, or somewhere else, and sessions do not stay on one that is.
  #mayBeGone (director: number, target: Target, askedMs: number): boolean {
    const { onTargetGone } = this.#options.config
    return onTargetGone !== 'keep' && (this.views.get(director)?.() ?? []).some(view => view.since(target.key, askedMs).some(seen => isGone(seen) || !view.isAt(seen.place!, target)))
  }

  /** A datagram of a client was judged at a director. */
  judged (director: number, { source, token, dataPort }: Datagram, verdict: Verdict, word: Word | undefined): void {
    const { time, watch, store } = this.#options
    const known = token === undefined ? undefined : this.#tokens.get(token)
    // A word against it is looked at where it is said.
    if (known === undefined || word?.isRefused === true || !refusals.has(verdict)) return
    const isSound = !known.isTakenBack && time.nowMs < known.untilMs && !known.redemptions.has(dataPort) && !known.claimed.has(this.#dataPorts[dataPort]!) && this.#isAnywhere(token!, known) && !store.isNewSince(director, known.madeMs)
    watch.hold('storeSilenceIsNoRefusal', !isSound || this.#holderOf(token!, dataPort) !== undefined, token!, source.id, `ends with verdict ${verdict} at director ${director}`)
  }

  // What the store has lost and nobody is left to publish again is over. What was made before its director had ever reached the store bears
  // a mark that nobody else knows.
  #isAnywhere (token: Token, { control, isMarkKnown }: Known): boolean {
    return isMarkKnown && (this.#options.store.hasToken(token) || control.isAlive)
  }

  /** A stranger's datagram was judged at a director that could have asked about it. */
  unasked (director: number, { source, meaning }: Datagram, verdict: Verdict): void {
    const { time, watch, store, config: { sharedState }, knownWithinMs } = this.#options
    if (sharedState?.follow !== true || meaning !== Meaning.data || (verdict !== FORWARD && verdict !== DropReason.noSession)) return
    const client = clientOf(source)
    const isResting = time.nowMs < (this.#noneMs.get(`${director} ${client}`) ?? -Infinity) + REST_MS + knownWithinMs
    const isWell = (store.wellSinceMs(director) ?? Infinity) < time.nowMs - knownWithinMs
    const isThere = (this.#newest.get(client)?.atMs ?? Infinity) < time.nowMs - knownWithinMs && store.bindingOf(client) !== undefined
    if (isWell && !isResting) watch.hold('bindingFollows', !isThere, source.id, `has a session elsewhere, and director ${director} did not ask`)
  }

  /** A client's session that has redeemed a token has this target now. */
  bound (director: number, { id }: Address, place: TargetSpec): void {
    const { time, knownWithinMs } = this.#options
    this.#served.set(id, { director, sinceMs: time.nowMs })
    const bounds = this.#bounds.get(id) ?? []
    if (isSamePlace(bounds.at(-1)?.place, place)) return
    while (bounds.length > 1 && bounds[1]!.sinceMs < time.nowMs - 10 * knownWithinMs - 10_000) bounds.shift()
    bounds.push({ place, sinceMs: time.nowMs, director })
    this.#bounds.set(id, bounds)
  }

  /** A session that has redeemed a token forwards a datagram of its client. */
  forwarded (director: number, { id }: Address, place: TargetSpec): void {
    const { time, watch, knownWithinMs } = this.#options
    const last = this.#bounds.get(id)?.at(-1)
    // Only what the store has heard of can be known elsewhere: the last of it is lost with a director.
    if (last === undefined || isSamePlace(last.place, place) || this.#newestOf(id)?.key !== last.place.key || time.nowMs - Math.max(last.sinceMs, this.inStep.get(director)?.() ?? Infinity) < knownWithinMs || !this.#isWellSince(director, last.sinceMs - knownWithinMs)) return
    watch.hold('bindingFollows', false, id, `was bound to ${last.place.key} at director ${last.director}, and director ${director} sends to ${place.key}`)
  }

  /** Looks at a session of a director. */
  looked (director: number, { address, hasRedeemed, seenMs }: Entry): void {
    const { time, watch, knownWithinMs } = this.#options
    const served = this.#served.get(address.id)
    if (!hasRedeemed || served === undefined || served.director === director || seenMs.at(-1)! >= served.sinceMs) return
    const lateMs = time.nowMs - served.sinceMs - SEEN_ELSEWHERE_MS - knownWithinMs
    if (lateMs > 0 && this.#isWellSince(director, served.sinceMs - knownWithinMs)) watch.hold('countsRightAgain', false, address.id, `is at director ${served.director} and still has a session at ${director}`)
  }

  /** Looks at what there is. */
  scan (): void {
    const { time } = this.#options
    for (const [key, { atMs }] of this.#heard) if (time.nowMs > atMs + 10_000) this.#heard.delete(key)
    for (const [token, { untilMs, redemptions }] of this.#tokens) {
      if (time.nowMs > untilMs + 1000) this.#tokens.delete(token)
      for (const [dataPort, redemption] of redemptions) redemption.isClaimed ||= this.#holderOf(token, dataPort) === clientOf(redemption.client)
    }
  }

  // All who are there, and this one among them: without control it hears nothing.
  #isWellSince (director: number, sinceMs: number): boolean {
    const { store } = this.#options
    return store.isWellSince(sinceMs) && (store.wellSinceMs(director) ?? Infinity) <= sinceMs
  }

  #newestOf (address: number): Target | undefined {
    return this.#newest.get(clientOf(addresses[address]!))?.target
  }

  #losing (lose: () => void): void {
    const { store } = this.#options
    const claims = [...this.#tokens].flatMap(([token, { redemptions }]) => [...redemptions].map(([dataPort, redemption]) => ({ token, dataPort, redemption })))
    lose()
    this.#newest.clear()
    for (const { token, dataPort, redemption } of claims) {
      if (!store.isSplit && this.#holderOf(token, dataPort) === clientOf(redemption.client)) continue
      redemption.isClaimed = false
      redemption.isLostWhole = !store.isSplit && !store.hasToken(token)
    }
  }

  #holderOf (token: string, dataPort: number): string | undefined {
    return this.#options.store.claimsOf(token)?.get(this.#dataPorts[dataPort] ?? '')
  }

  get #dataPorts (): readonly string[] { return this.#options.config.dataPorts.map(({ name }) => name) }
}

function isSameTarget (place: TargetSpec | undefined, { key, address, ports }: Target, dataPorts: readonly string[]): boolean {
  return place?.key === key && place.address === address && dataPorts.every((name, index) => (ports[name] ?? 0) === place.ports[index])
}
