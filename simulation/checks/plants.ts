// Bugs to plant in a simulation, to show that it finds them: each is something that the simulated pieces around the
// product do wrong, or a part of the product that they leave out. The product itself has no hooks for this.
import type { Config } from '#config/schema.js'
import type { Invariant } from './invariants.js'
import type { Profile } from '../cast/profile.js'

interface PlantRow {
  readonly says: string
  /** What has to find it; any of these. */
  readonly found: readonly [Invariant, ...Invariant[]]
  /** Whether it takes directors that share a store. */
  readonly shares?: boolean
  /** What a world needs for it to show soon. */
  readonly world?: Partial<Omit<Profile, 'config'>>
  readonly config?: Partial<Config>
}

const stormy: Profile['unrest'] = { hostile: 1, operators: 1, crashes: 3, moves: 1, replicas: 0, store: 0 }
const replicated: Profile['unrest'] = { hostile: 4, operators: 1, crashes: 0, moves: 1, replicas: 4, store: 0 }
const troubled: Profile['unrest'] = { ...replicated, store: 4 }

const wandering: Profile['unrest'] = { hostile: 0, operators: 0, crashes: 0, moves: 0, replicas: 0, store: 0 }
const slow: Profile['store'] = { leastMs: 0, mostMs: 10, lost: 0.2, mostTroubleMs: 200 }
const restless: Profile['balancer'] = { picks: 'random', remembersMs: 500, isByClient: false }
const longLived: Partial<Config> = { tokenTtlSeconds: 30, sessionTimeoutSeconds: 60, onTargetGone: 'keep' }

export const plants = {
  replySourceUnchecked: { says: 'a reply is forwarded wherever it came from', found: ['onlyOwnClient'] },
  replyToFormerClient: { says: 'a reply goes to whoever was answered before', found: ['onlyOwnClient'] },
  pairsDoNotLinger: { says: 'a pair of endpoint and socket is free at once', found: ['onlyOwnClient'], world: { servers: 1, clients: 24, mostAnswerMs: 600, sweepPeriodMs: 50 } },
  targetRemembered: { says: 'a client\'s datagrams go where its first one went', found: ['onlyOwnTarget'] },
  buffersMixed: { says: 'a datagram is sent with the bytes of the one before', found: ['onlyOwnTarget'] },
  claimsNotShared: { says: 'every shard keeps its own redemptions', found: ['redeemedOnce'] },
  claimsForgotten: { says: 'redemptions are forgotten when the sweep runs', found: ['redeemedOnce'] },
  anothersSource: { says: 'a control packet counts as one of the client before', found: ['targetChangesByRight', 'answeredTokensWork', 'ownTokensStayHere'] },
  ttlIgnored: { says: 'tokens live for an hour', found: ['targetChangesByRight', 'redeemedOnce'] },
  wrongSessionsLeave: { says: 'when a target is gone, a session of another one ends', found: ['targetChangesByRight'] },
  movesTooMany: { says: 'an operator\'s move takes a second session along', found: ['targetChangesByRight'] },
  boundOffByOne: { says: 'a shard takes one session more', found: ['boundsHold'] },
  tokensOverBound: { says: 'control takes more tokens than it may', found: ['boundsHold'] },
  proxiedNotCounted: { says: 'one datagram in a hundred is sent and not counted', found: ['datagramsBalance'] },
  dropNotCounted: { says: 'what the system refuses to send is not counted', found: ['datagramsBalance'], world: { failedSends: 0.02 } },
  lastGrantLost: { says: 'the last token of a push is acknowledged and not kept', found: ['answeredTokensWork'] },
  shardForgotten: { says: 'the last shard is told of no tokens', found: ['answeredTokensWork'] },
  ttlHalved: { says: 'tokens live half as long at the proxy', found: ['answeredTokensWork', 'ownTokensStayHere'] },
  revocationLost: { says: 'revocations are acknowledged and not done', found: ['voidTokensStayVoid'] },
  revocationOnFirstShard: { says: 'revocations reach the first shard only', found: ['voidTokensStayVoid', 'targetChangesByRight'] },
  retransmitForwarded: { says: 'a session forgets the token it was made with', found: ['ownTokensStayHere'] },
  restoredSessionDropped: { says: 'one of the sessions is lost in a restart', found: ['sessionsComeBack'], world: { unrest: stormy } },
  portsChosenAnew: { says: 'upstream ports are others after a restart', found: ['sessionsComeBack'] },
  shardsNotDealtAnew: { says: 'sessions stay in their shards when there are more or fewer of those', found: ['sessionsComeBack', 'targetChangesByRight'], world: { shards: 2, reshards: 1 } },
  stateWrittenLate: { says: 'the state is written when it pleases', found: ['sessionsComeBack', 'answeredTokensWork', 'targetChangesByRight'] },
  repliesUnbounded: { says: 'replies to a first datagram have no bound', found: ['repliesDoNotAmplify'], world: { servers: 8, unrest: { hostile: 4, operators: 0, crashes: 0, moves: 3, replicas: 0, store: 0 } } },
  evictsTooMany: { says: 'two sessions give way for one', found: ['targetChangesByRight'] },
  changeMissed: { says: 'an object that has changed is found as it was', found: ['answersMatch', 'defaultsFollow'] },
  namesMixed: { says: 'the DNS answers with another server', found: ['answersMatch', 'defaultsFollow'], world: { hasNames: true } },
  watchDeaf: { says: 'control is not told of changes of targets', found: ['tokensFollowTargets', 'goneTargetsAreLeft', 'defaultsFollow'] },
  goneUntold: { says: 'the proxy is not told of targets that are gone', found: ['goneTargetsAreLeft'], config: { onTargetGone: 'close', sessionTimeoutSeconds: 60 } },
  defaultsDeaf: { says: 'control is not told of changes of the default endpoint', found: ['defaultsFollow', 'tokensFollowTargets'] },
  defaultElsewhere: { says: 'control takes other objects for the default endpoint', found: ['defaultsFollow'] },
  drainsTooLong: { says: 'a drain may last twice as long', found: ['drainHolds'], world: { unrest: stormy }, config: { drainTimeoutSeconds: 1, sessionTimeoutSeconds: 60 } },
  drainIssues: { says: 'control hands out tokens while it drains', found: ['drainHolds'], world: { unrest: stormy }, config: { drainTimeoutSeconds: 5 } },
  drainEndsSessions: { says: 'a drain ends sessions', found: ['targetChangesByRight', 'answeredTokensWork'] },
  answeredTwice: { says: 'a call in a line is answered twice', found: ['linesAnsweredInOrder', 'answeredTokensWork'] },
  numbersAsText: { says: 'the proxy answers with the number of sessions as text', found: ['callsFitTheContract'] },
  claimsOfAnybody: { says: 'a claim is everybody\'s', found: ['redeemedOnce'], shares: true, world: { unrest: replicated } },
  claimsSkipped: { says: 'live tokens are redeemed without asking the store', found: ['claimsComeFirst'], shares: true, world: { unrest: replicated } },
  restsAfterAll: { says: 'a client is not asked about for a while after any answer', found: ['bindingFollows'], shares: true, world: { unrest: replicated } },
  lateIsUnknown: { says: 'a store that is silent counts as one that does not know', found: ['storeSilenceIsNoRefusal'], shares: true, world: { unrest: troubled } },
  takeOverEnds: { says: 'a session ends at once when its client is seen elsewhere', found: ['targetChangesByRight'], shares: true, world: { unrest: replicated } },
  seenNeverTold: { says: 'a session stays when its client is seen elsewhere', found: ['countsRightAgain'], shares: true, world: { unrest: replicated, mostStepMs: 100 }, config: { sessionTimeoutSeconds: 120 } },
  heldMixed: { says: 'a datagram that waits has the bytes of the one before', found: ['heldKeepOrder'], shares: true, world: { unrest: replicated } },
  storeBelieved: { says: 'what the store says is not held to the target policy', found: ['targetsAreAllowed'], shares: true, world: { unrest: troubled } },
  answeredAgain: { says: 'control answers some asks twice', found: ['oneAnswerPerAsk'], shares: true, world: { unrest: replicated } },
  keepOverwrites: { says: 'a director that writes its sessions again takes the place of newer ones', found: ['bindingFollows'], shares: true, world: { clients: 3, mostStepMs: 40, cutCalls: 0.05, unrest: { ...wandering, store: 2 }, balancer: restless, store: { leastMs: 0, mostMs: 10, lost: 0.6, mostTroubleMs: 3000 } }, config: longLived },
  grantsBeforeClaims: { says: 'what was redeemed is in the store a moment before its redemptions', found: ['redeemedOnce'], shares: true, world: { unrest: { ...troubled, replicas: 1, store: 12 }, balancer: restless, store: slow }, config: longLived },
  formerKeysForgotten: { says: 'keys of marks are forgotten when there are newer ones', found: ['storeSilenceIsNoRefusal', 'answeredTokensWork'], shares: true, world: { unrest: { ...troubled, replicas: 12, store: 12 }, store: slow }, config: longLived }
} as const satisfies Record<string, PlantRow>

export type Plant = keyof typeof plants

/** The world that a seed makes, with what a planted bug needs. */
export function worldOf (drawn: Profile, plant: Plant | undefined): Profile {
  const row: PlantRow | undefined = plant && plants[plant]
  return { ...drawn, ...row?.world, config: { ...drawn.config, ...row?.config } }
}

/** Whether a planted bug takes directors that share a store. */
export function takesSharing (plant: Plant | undefined): boolean {
  const row: PlantRow | undefined = plant && plants[plant]
  return row?.shares === true
}
