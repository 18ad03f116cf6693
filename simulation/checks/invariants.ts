// What must hold at every step, each under its own name. A check is given what was seen and says what is wrong with it, or
// nothing. They know no table of the product: what they compare with comes from the ledger, which keeps its own books.
import { ownerOf } from '../cast/datagram.js'

type Fault = string | undefined

/** A table, a queue or a list, how much is in it and how much may be. */
export interface Bound {
  readonly of: string
  readonly size: number
  readonly most: number
}

export const invariants = {
  /** A client's datagram goes to the target of its own session, and its bytes are its own. */
  onlyOwnTarget: (address: number, bytes: Uint8Array, wanted: number, sentTo: number): Fault => {
    if (wanted !== sentTo) return `a datagram of address ${address} is for endpoint ${wanted} and went to ${sentTo}`
    return ownerOf(bytes) >= 0 && ownerOf(bytes) !== address ? `address ${address} sent what address ${ownerOf(bytes)} had written` : undefined
  },

  /** A reply reaches a client from its own session's target only, and is the answer to what that client sent. */
  onlyOwnClient: (address: number, bytes: Uint8Array, wanted: number, cameFrom: number): Fault => {
    if (wanted !== cameFrom) return `address ${address}, whose endpoint is ${wanted}, heard endpoint ${cameFrom}`
    return ownerOf(bytes) >= 0 && ownerOf(bytes) !== address ? `address ${address} got an answer to address ${ownerOf(bytes)}` : undefined
  },

  /** A token is redeemed at most once on each data port. */
  redeemedOnce: (token: string, dataPort: number, times: number): Fault =>
    times > 1 ? `token ${token} was redeemed ${times} times on data port ${dataPort}` : undefined,

  /** A session begins, moves and ends by its own client's live token, the default endpoint's rules, time or an operator. */
  targetChangesByRight: (isRight: boolean, address: number, wanted: string, found: string): Fault =>
    isRight ? undefined : `the session of address ${address} should be at ${wanted} and is at ${found}`,

  /** Nothing grows past its bound. */
  boundsHold: ({ of, size, most }: Bound): Fault => size > most ? `${size} ${of}, where ${most} are the most` : undefined,

  /** received = proxied + consumed + dropped + what the engine holds, and the engine says the same of what it did. */
  datagramsBalance: (what: string, counted: number, seen: number): Fault =>
    counted === seen ? undefined : `${what}: ${counted} counted, ${seen} seen`,

  /** Whoever got a 200 can redeem the token until its TTL is over. */
  answeredTokensWork: (works: boolean, token: string, how: string): Fault => works ? undefined : `token ${token} of an answered query ${how}`,

  /** A token that was made void, or whose query failed, is never redeemable again. */
  voidTokensStayVoid: (isVoid: boolean, token: string, why: string): Fault => isVoid ? undefined : `token ${token} is redeemable, ${why}`,

  /** A query is answered with an object that matches when it is chosen, the least busy one where that is asked for, and with none only if there is none. */
  answersMatch: (isRight: boolean, key: string, how: string): Fault => isRight ? undefined : `${key} ${how}`,

  /** Soon after control was told that a target is not any more what was asked for, nobody can redeem the token for it. */
  tokensFollowTargets: (isVoid: boolean, token: string): Fault => isVoid ? undefined : `token ${token} is redeemable, but its target has changed`,

  /** The candidates of the default endpoint are those objects that match. */
  defaultsFollow: (isRight: boolean, key: string, how: string): Fault => isRight ? undefined : `${key} ${how}`,

  /** Where sessions end with their target, nobody is left on one that is gone. */
  goneTargetsAreLeft: (isLeft: boolean, address: number, key: string): Fault => isLeft ? undefined : `address ${address} is still on ${key}`,

  /** A control process that drains hands out no tokens, and waits no longer than it may. */
  drainHolds: (holds: boolean, how: string): Fault => holds ? undefined : how,

  /** A client that has sent one datagram to the default endpoint gets no more than the factor times its bytes. */
  repliesDoNotAmplify: (address: number, bytesOut: number, most: number): Fault =>
    bytesOut > most ? `address ${address} was sent ${bytesOut} bytes, where ${most} are the most` : undefined,

  /** The token of a session does not travel to its game server while its TTL lasts. */
  ownTokensStayHere: (isConsumed: boolean, address: number): Fault => isConsumed ? undefined : `the own token of address ${address} was not consumed`,

  /** After a restart every session is back at its target and behind its upstream ports, but for the last of its changes. */
  sessionsComeBack: (isBack: boolean, address: number, how: string): Fault => isBack ? undefined : `the session of address ${address} ${how}`,

  /** Where directors share a store, no token is redeemed before its word, as long as control can be asked. */
  claimsComeFirst: (isClaimed: boolean, token: string): Fault => isClaimed ? undefined : `token ${token} was redeemed without asking the store`,

  /** A sound token is never refused, and never taken for nobody's, because the store was silent. */
  storeSilenceIsNoRefusal: (isRight: boolean, token: string, address: number, how: string): Fault => isRight ? undefined : `token ${token} of address ${address} ${how}`,

  /** A client with a session that comes to another director, while the store is there, goes on at its own target. */
  bindingFollows: (isRight: boolean, address: number, how: string): Fault => isRight ? undefined : `address ${address} ${how}`,

  /** Soon after a client's datagrams come to another director, the session that it has left is over. */
  countsRightAgain: (isOver: boolean, address: number, how: string): Fault => isOver ? undefined : `address ${address} ${how}`,

  /** What comes out of the store leads where a director has sent its client, and nowhere else. */
  targetsAreAllowed: (isAllowed: boolean, token: string, where: string): Fault => isAllowed ? undefined : `token ${token} leads to ${where}`,

  /** Control answers each ask of its proxy once, and in time. */
  oneAnswerPerAsk: (isRight: boolean, ask: number, how: string): Fault => isRight ? undefined : `ask ${ask} ${how}`,

  /** Datagrams of a client that wait for the store go on in the order in which they came, and none overtakes them. */
  heldKeepOrder: (isInOrder: boolean, address: number, how: string): Fault => isInOrder ? undefined : `a datagram of address ${address} ${how}`,

  /** Calls line by line are answered once each, in their order. */
  linesAnsweredInOrder: (isRight: boolean, what: string): Fault => isRight ? undefined : `there is ${what}`,

  /** What the processes tell each other fits the contract between them. */
  callsFitTheContract: (fits: boolean, what: string): Fault => fits ? undefined : `${what} does not fit the contract`
} as const satisfies Record<string, (...seen: never[]) => Fault>

export type Invariant = keyof typeof invariants

export interface Violation {
  readonly invariant: Invariant
  readonly fault: string
}

/** Keeps the first thing that was wrong. Nothing is thrown: what is being watched would catch it, or end in the middle. */
export class Watch {
  violation: Violation | undefined

  hold<Name extends Invariant> (invariant: Name, ...seen: Parameters<typeof invariants[Name]>): void {
    const check = invariants[invariant] as (...given: typeof seen) => Fault
    const fault = check(...seen)
    if (fault !== undefined) this.violation ??= { invariant, fault }
  }
}
