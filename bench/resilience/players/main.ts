// The process of the players: they send at a steady rate, all in turn, until they are told to stop, and know nothing of
// what happens to the director.
import { openLibc } from '../../../apps/proxy/src/engines/batch/system/libc.js'
import type { Endpoint } from '../../forward/endpoints.js'
import { nap } from '../../forward/generator/pace.js'
import { serve } from '#testkit/processes/helper.js'
import { Players } from './players.js'

export interface PlayerCounts {
  readonly sent: number
  /** Replies that came to whom they were for, ever. */
  readonly received: number
  readonly misdelivered: number
  /** Replies that the kernel dropped at the players' socket, ever. */
  readonly drops: number
}

// After so long it is looked whether there is a call to answer, in ms.
const TURN_MS = 5

const libc = await openLibc()
let players: Players | undefined
let isOpen = true
let perSecond = 0
let startedMs = 0
let sentBefore = 0

function turn (): void {
  if (!isOpen || players === undefined) return
  for (const end = performance.now() + TURN_MS; performance.now() < end;) {
    const due = Math.floor((performance.now() - startedMs) * perSecond / 1000) - (players.sent - sentBefore)
    if (due <= 0 || players.send(due) === 0) nap()
    players.take()
  }
  setImmediate(turn)
}

const calls = {
  open: async ({ count, destination }: { count: number, destination: Endpoint }): Promise<void> => {
    players = new Players(libc, count)
    players.aim(destination)
    turn()
  },
  /** Each player sends its token: by number. */
  redeem: async ({ tokens }: { tokens: readonly string[] }): Promise<void> => { players!.redeem(tokens) },
  /** All together send so many a second from now on; 0 is nothing. */
  pace: async (rate: number): Promise<void> => {
    startedMs = performance.now()
    sentBefore = players!.sent
    perSecond = rate
  },
  counts: async (): Promise<PlayerCounts> => ({ sent: players!.sent, received: players!.received, misdelivered: players!.misdelivered, drops: players!.drops() })
}

export type PlayerCalls = typeof calls

serve(calls, async () => {
  isOpen = false
  players?.close()
})
