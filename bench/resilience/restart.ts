// One kill under traffic, and what it cost.
import { setTimeout as sleep } from 'node:timers/promises'
import { sumOf } from '#testkit/director/samples.js'
import type { ProcessName } from '#testkit/director/serve.js'
import { Field } from './field.js'
import type { BenchOptions } from './options.js'

export const killed = {
  proxy: ['proxy'],
  control: ['control'],
  both: ['control', 'proxy']
} as const satisfies Record<string, readonly ProcessName[]>

const POLL_MS = 20

export type RestartKind = keyof typeof killed

/** All of one round. */
export interface RestartFigures {
  readonly sent: number
  /** Datagrams that no game server got. */
  readonly lost: number
  /** Of the lost: received by a proxy that was killed before it had sent them on. */
  readonly lostInProxy: number
  /** Of the lost: dropped by the kernel, because a buffer was full: of the data port of the proxy that is there now, or of the game servers. */
  readonly kernelDrops: number
  /** Replies that no player got. */
  readonly repliesLost: number
  /** Replies that somebody else got. */
  readonly misdelivered: number
  /** From the kill to the first datagram that a game server got after it. */
  readonly firstForwardedMs: number
  /** The longest time in which no game server got anything. */
  readonly silenceMs: number
  readonly sessionsContinued: number
  readonly portsKept: number
}

/** Starts a director, kills what is asked for under traffic, and waits until all is as before. */
export async function runRestart (kind: RestartKind, { engine, sessions, perSecond, seconds }: BenchOptions): Promise<RestartFigures> {
  const field = await Field.open({ players: sessions, hasDefault: false, engine })
  try {
    const { director, players, servers } = field
    await players.call('pace', perSecond)
    await sleep(seconds * 1000)
    await servers.call('mark', undefined)
    const killedAtMs = performance.timeOrigin + performance.now()
    director.kill(...killed[kind])
    // Seldom enough not to keep the processor from what starts.
    await director.until(() => killed[kind].every(name => director.starts(name) === 2), { pollMs: POLL_MS })
    await director.ready(POLL_MS)
    await sleep(seconds * 1000)
    const { players: sent, servers: arrived } = await field.settled()
    const samples = await director.samples()
    const { silence, continued, portsKept } = await servers.call('continuity', undefined)
    return {
      sent: sent.sent,
      lost: sent.sent - arrived.players,
      lostInProxy: sumOf(samples, 'udp_director_packets_dropped_total', { reason: 'restart', direction: 'to_target' }),
      kernelDrops: sumOf(samples, 'udp_director_receive_drops_total') + arrived.drops,
      repliesLost: arrived.echoed - sent.received - sent.misdelivered,
      misdelivered: sent.misdelivered,
      firstForwardedMs: silence.untilMs - killedAtMs,
      silenceMs: silence.untilMs - silence.fromMs,
      sessionsContinued: continued,
      portsKept
    }
  } finally {
    await field.close()
  }
}
