// What is measured: a list of experiments, each with as many clients and as long datagrams as it says.
import type { ForwarderName } from './forwarders/forwarder.js'

export const kinds = ['saturation', 'loss', 'latency', 'shared', 'tokens', 'sessions', 'memory'] as const
export type Kind = typeof kinds[number]

export interface Experiment {
  readonly kind: Kind
  readonly clients: number
  /** Of each datagram. */
  readonly bytes: number
  readonly forwarders: readonly ForwarderName[]
}

const all: readonly ForwarderName[] = ['direct', 'dgram', 'batch', 'nginx', 'socat']
const saturating: readonly ForwarderName[] = [...all, 'batch-any']
const withWorkers: readonly ForwarderName[] = [...saturating, 'batch-2']
/** With a store that they share with other directors, each beside the same without. */
const shared: readonly ForwarderName[] = ['dgram', 'dgram-shared', 'batch', 'batch-shared']
const ours: readonly ForwarderName[] = ['dgram', 'batch']
/** Sessions that the ones of the experiment `sessions` are compared with. */
export const FEW_SESSIONS = 100

/** Fewer clients than this are not spread evenly over workers. */
const SPREAD_OVER = 1000

const CLIENTS = [1, 64, 1000, 100_000]
const BYTES = [64, 256, 1200]
const MANY = 100_000
const VERY_MANY = 1_000_000

const quick: ReadonlyArray<readonly [kind: Kind, clients: number, bytes: number]> = [
  ['saturation', 64, 64], ['saturation', 1, 256], ['saturation', 64, 1200], ['saturation', 1000, 256],
  ['loss', 64, 256],
  ['latency', 64, 256]
]

const full = (['saturation', 'loss', 'latency'] as const).flatMap(kind => CLIENTS.flatMap(clients => BYTES.map(bytes => [kind, clients, bytes] as const)))

/** The experiments of a run: a few that say most, or all of them. */
export function planOf (isFull: boolean): readonly Experiment[] {
  return [
    ...(isFull ? full : quick).map(([kind, clients, bytes]) => ({ kind, clients, bytes, forwarders: kind !== 'saturation' ? all : clients >= SPREAD_OVER ? withWorkers : saturating })),
    { kind: 'shared', clients: SPREAD_OVER, bytes: 256, forwarders: shared },
    { kind: 'tokens', clients: 1, bytes: 64, forwarders: [...ours, 'batch-2'] },
    { kind: 'sessions', clients: MANY, bytes: 64, forwarders: ours },
    { kind: 'memory', clients: VERY_MANY, bytes: 64, forwarders: isFull ? ours : ['batch'] }
  ]
}
