// Many players at once, as a game's own clients behave: who hears nothing sends again after a while, and gives up some day.
import type { Answer, Player } from './player.js'
import { nowMs, pause } from './time.js'

const AGAIN_MS = 250
const TRIES = 8
const LOOK_MS = 5

export interface Outcome {
  /** Answered by the game server that their token was for. */
  readonly right: readonly Player[]
  /** Answered by another one. */
  readonly wrong: readonly Player[]
  /** Not answered at all. */
  readonly silent: readonly Player[]
}

/** Each does `send` until somebody answers what it said since, `tries` times at most; `isEnough` may wait for more than an answer. */
export async function untilAnswered (players: readonly Player[], send: (player: Player) => void, { tries = TRIES, isEnough = isAnswered }: { readonly tries?: number, readonly isEnough?: (player: Player) => boolean } = {}): Promise<Outcome> {
  for (const player of players) player.forget()
  for (let round = 0; round < tries && !players.every(isEnough); round++) {
    for (const player of players) if (!isEnough(player)) send(player)
    for (const untilMs = nowMs() + AGAIN_MS; nowMs() < untilMs && !players.every(isEnough);) await pause(LOOK_MS)
  }
  const said = (player: Player): Answer | undefined => player.last
  return {
    right: players.filter(player => said(player)?.server === player.server),
    wrong: players.filter(player => said(player) !== undefined && said(player)!.server !== player.server),
    silent: players.filter(player => said(player) === undefined)
  }
}

/** Each redeems a token and says something, until the token's game server answers. */
export async function join (players: readonly Player[], token: (player: Player) => string): Promise<Outcome> {
  return await untilAnswered(players, player => {
    player.sendToken(token(player))
    player.say()
  }, { isEnough: player => player.last?.server === player.server })
}

function isAnswered (player: Player): boolean {
  return player.last !== undefined
}

export interface Stream {
  /** Stops, waits a little for what is under way, and returns how much was said and not answered. */
  readonly end: () => Promise<{ readonly sent: number, readonly lost: number }>
}

/** Each says something every `periodMs`, one after the other in each period. */
export function stream (players: readonly Player[], periodMs: number): Stream {
  for (const player of players) player.forget()
  const over = new AbortController()
  const run = async (): Promise<void> => {
    const startedMs = nowMs()
    for (let said = 0; !over.signal.aborted;) {
      const due = Math.floor((nowMs() - startedMs) / periodMs * players.length)
      for (; said < due; said++) players[said % players.length]!.say()
      await pause(1)
    }
  }
  const running = run()
  return {
    end: async () => {
      over.abort()
      await running
      await pause(AGAIN_MS)
      const sent = players.reduce((sum, player) => sum + player.sent, 0)
      const heard = players.reduce((sum, player) => sum + new Set(player.answers.map(({ number }) => number)).size, 0)
      return { sent, lost: sent - heard }
    }
  }
}
