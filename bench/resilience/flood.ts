// A flood of first datagrams while sessions go on: what became of every datagram of either, and what it took.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Sample } from '#rpc/contract.js'
import { balance, dropsSince, type Ledger } from '../forward/ledger.js'
import { peakResidentBytes, residentBytes } from '../forward/process-usage.js'
import { sumOf } from '#testkit/director/samples.js'
import { openHelper } from '#testkit/processes/helper.js'
import { entranceOf } from './director.js'
import { Field, type FieldCounts } from './field.js'
import type { FlooderCalls } from './flooder/main.js'
import type { BenchOptions } from './options.js'

export interface FloodFigures {
  readonly flooded: number
  readonly perSecond: number
  readonly playersSent: number
  /** Players' datagrams that no game server got. */
  readonly playersLost: number
  /** Datagrams of anybody that the kernel dropped at the data port: its receive buffer was full. */
  readonly kernelDrops: number
  /** Sessions with a token that are left. */
  readonly tokenSessions: number
  readonly defaultSessions: number
  /** What was sent, and where it went: nothing may be missing. */
  readonly ledger: Ledger
  /** Of the proxy, before the flood and at its most. */
  readonly residentMegabytes: number
  readonly peakMegabytes: number
}

const PER_SESSION = 4

/** Runs a flood against a director with default limits. */
export async function runFlood (hasDefault: boolean, { engine, flood, floodPerSecond, floodSessions, seconds }: BenchOptions): Promise<FloodFigures> {
  const flooder = openHelper<FlooderCalls>(new URL('flooder/main.js', import.meta.url))
  try {
    const field = await Field.open({ players: floodSessions, hasDefault, engine })
    try {
      const { director, players } = field
      const pid = director.pid('proxy')
      const before = await reading(field)
      const residentMegabytes = residentBytes(pid) / 1e6
      await players.call('pace', floodSessions * PER_SESSION)
      await sleep(seconds * 1000)
      const { sent: flooded, seconds: floodSeconds } = await flooder.call('flood', { to: entranceOf(director), count: flood, ...(floodPerSecond === undefined ? {} : { perSecond: floodPerSecond }) })
      await sleep(seconds * 1000)
      await field.settled()
      const after = await reading(field)
      const playersSent = after.counts.players.sent - before.counts.players.sent
      const defaultSessions = sumOf(after.samples, 'udp_director_table_entries', { table: 'default_sessions' })
      return {
        flooded,
        perSecond: flooded / floodSeconds,
        playersSent,
        playersLost: playersSent - (after.counts.servers.players - before.counts.servers.players),
        kernelDrops: after.drops[KERNEL]! - before.drops[KERNEL]!,
        tokenSessions: sumOf(after.samples, 'udp_director_sessions_active') - defaultSessions,
        defaultSessions,
        ledger: balance(flooded + playersSent, arrivals(after) - arrivals(before), dropsSince(before.drops, after.drops)),
        residentMegabytes,
        peakMegabytes: peakResidentBytes(pid) / 1e6
      }
    } finally {
      await field.close()
    }
  } finally {
    await flooder.close()
  }
}

interface Reading {
  readonly counts: FieldCounts
  readonly samples: readonly Sample[]
  readonly drops: Readonly<Record<string, number>>
}

/** What the ledger calls those that the kernel dropped before the proxy had them. */
export const KERNEL = 'receive_drops'

async function reading (field: Field): Promise<Reading> {
  const samples = await field.director.samples()
  const counts = await field.counts()
  const shed = samples.filter(({ name, labels }) => name === 'udp_director_packets_dropped_total' && labels['direction'] === 'to_target')
  return {
    samples,
    counts,
    drops: {
      [KERNEL]: sumOf(samples, 'udp_director_receive_drops_total'),
      ...Object.fromEntries(shed.map(({ labels, value }) => [labels['reason'] ?? '', value])),
      'servers\' socket': counts.servers.drops
    }
  }
}

function arrivals ({ counts: { servers } }: Reading): number {
  return servers.players + servers.flood
}
