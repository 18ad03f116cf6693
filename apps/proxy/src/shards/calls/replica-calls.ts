// What a shard does when it is asked about other replicas: whose tokens are ours, what held clients wait for, what happened to
// clients elsewhere, and which sessions others have to know.
import type { Clock } from '#core/clock.js'
import type { Slices } from '#core/slices.js'
import { MAX_REPLICA_ITEMS, type BindingsPage, type BindingsQuery, type Elsewhere } from '#rpc/replica-schemas.js'
import { tokenKeyFrom } from '#wire/token-mac.js'
import type { Core } from '../../core/core.js'
import type { Forward } from '../../core/datagrams/asks.js'
import { defaultSlice, SliceWork } from '../../core/tables/slice-size.js'
import type { ClaimedAnswer, ReplicaWords } from './replica-words.js'

export interface ReplicaCalls {
  /** Tokens with the mark of one of these keys are ours: 32 hexadecimal digits each, the newest first. */
  setTokenKeys: (keys: readonly string[]) => void
  /** Whether control hears what is asked. If not, those who wait are settled from now on. */
  openAsks: (isOpen: boolean) => void
  /** Answers to asks of this shard; those nobody waits for are passed over. */
  answerAsks: (answers: readonly ClaimedAnswer[]) => void
  /** What happened elsewhere to clients that may have sessions here. */
  tellElsewhere: (clients: readonly Elsewhere[]) => void
  listBindings: (query: BindingsQuery) => BindingsPage
}

export interface ReplicaCallsDeps {
  readonly core: Core
  readonly clock: Pick<Clock, 'now'>
  readonly words: ReplicaWords
  /** Sends a datagram that was held. */
  readonly forward: Forward
  readonly tally: ReplicaTally
}

/** How a shard answers them: as CallRunner has it. */
export type ReplicaCallTable = Omit<ReplicaCalls, 'answerAsks'> & { readonly answerAsks: (answers: readonly ClaimedAnswer[]) => Slices<undefined> }

/** What came of them, counted from the start of this life. */
export interface ReplicaTally {
  /** Sessions whose client was said to be served elsewhere now. */
  seenElsewhere: number
}

export function createReplicaCalls ({ core: { asks, operations, state }, clock, words, forward, tally }: ReplicaCallsDeps): ReplicaCallTable {
  return {
    setTokenKeys: keys => { asks.setKeys(keys.map(tokenKeyFrom)) },
    openAsks: isOpen => { asks.open(isOpen) },
    answerAsks: function * (answers) {
      let now = clock.now()
      const work = new SliceWork(state.options.slice ?? defaultSlice)
      for (const answer of answers) {
        asks.answer(words.answer(answer), now, held => {
          forward(held)
          work.change()
        })
        work.change()
        if (work.isOver()) now = yield
      }
      return undefined
    },
    tellElsewhere: clients => {
      const now = clock.now()
      for (const client of clients) {
        const told = words.elsewhere(client)
        const known = told === undefined ? 0 : operations.tellElsewhere([told], now)
        if (client.change === 'seen') tally.seenElsewhere += known
      }
    },
    listBindings: ({ cursor = 0, limit = MAX_REPLICA_ITEMS, activeWithinMs = Infinity }) => {
      const { bindings, nextCursor } = operations.bindings({ cursor, limit, activeWithinMs }, clock.now())
      return { bindings: bindings.map(view => words.binding(view)), ...nextCursor === undefined ? {} : { nextCursor } }
    }
  }
}
