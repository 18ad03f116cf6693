// What is compared: something that clients send to and that sends on to targets.
import type { Result } from '#core/result.js'
import type { Endpoint } from '../endpoints.js'

export const forwarderNames = ['direct', 'dgram', 'dgram-shared', 'batch', 'batch-any', 'batch-shared', 'batch-2', 'nginx', 'socat'] as const
export type ForwarderName = typeof forwarderNames[number]

export interface ForwarderOptions {
  readonly targets: readonly Endpoint[]
  /** Client addresses it will have to do with. */
  readonly clients: number
  /** A command that puts it on its processor. */
  readonly prefix: readonly string[]
}

/** Datagrams by what became of them instead of being forwarded. */
export type Drops = Readonly<Record<string, number>>

export interface Forwarder {
  readonly name: ForwarderName
  /** Where clients send. */
  readonly entrances: readonly Endpoint[]
  /** Its processes; none for the direct path. */
  readonly pids: () => readonly number[]
  /** Its own counters of datagrams it dropped, ever; undefined if it has none. */
  readonly drops: () => Promise<Drops | undefined>
  /** Sessions it has, if it says so. */
  readonly sessions: () => Promise<number | undefined>
  readonly close: () => Promise<void>
}

/** A forwarder, or one sentence that says why there is none. */
export type Opened = Result<Forwarder, string>

/** Nothing in between: what the machine, the generator and the sink can do. */
export function openDirect ({ targets }: ForwarderOptions): Opened {
  return {
    ok: true,
    value: {
      name: 'direct',
      entrances: targets,
      pids: () => [],
      drops: async () => ({}),
      sessions: async () => undefined,
      close: async () => undefined
    }
  }
}
