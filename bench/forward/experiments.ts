// An experiment: forwarders started anew, all up at the same time, measured round by round in turn, and ended.
import { targetCount } from './endpoints.js'
import type { Forwarder, ForwarderName, Opened } from './forwarders/forwarder.js'
import { openForwarder } from './forwarders/open-forwarder.js'
import type { ProxyForwarder } from './forwarders/proxy-forwarder.js'
import type { Lab, Target } from './lab.js'
import type { Ledger } from './ledger.js'
import type { BenchOptions } from './options.js'
import { FEW_SESSIONS, type Experiment } from './plan.js'
import { residentBytes } from './process-usage.js'
import { Side, type Figures } from './side.js'

/** One thing that was measured, over all rounds. */
export interface Measured {
  readonly label: string
  readonly forwarder: ForwarderName
  readonly clients: number
  readonly rounds: readonly Figures[]
  readonly ledgers: readonly Ledger[]
}

export interface Outcome {
  readonly experiment: Experiment
  readonly measured: readonly Measured[]
  /** Why forwarders are missing, by name. */
  readonly absent: Readonly<Record<string, string>>
}

export interface Bench {
  readonly lab: Lab
  readonly options: BenchOptions
  readonly say: (text: string) => void
}

/** A thing to measure, and how. */
interface Entry {
  readonly label: string
  readonly forwarder: ForwarderName
  readonly clients: number
  readonly ledgers: Ledger[]
  readonly measure: () => Promise<Figures>
}

/** Who takes part in an experiment. */
interface Cast {
  /** Undefined if it is not to be had; closed with the experiment. */
  readonly open: (name: ForwarderName, clients: number) => Promise<Forwarder | undefined>
  readonly leaveOut: (name: ForwarderName, why: string) => void
}

// A fraction of the asked rate that must come back, or a lower one is taken for everybody.
const ENOUGH = 0.98
const PROBE_SECONDS = 0.3
// Round trips that take so long wait in a queue that grows.
const QUEUED_US = 20_000

/** Runs one experiment; what cannot be measured is in `absent`. */
export async function runExperiment (bench: Bench, experiment: Experiment): Promise<Outcome> {
  const opened: Forwarder[] = []
  const absent: Record<string, string> = {}
  const leaveOut: Cast['leaveOut'] = (name, why) => { absent[name] = why }
  const open: Cast['open'] = async (name, clients) => {
    const forwarder = await openOne(bench, experiment, name, clients)
    if (forwarder.ok) opened.push(forwarder.value)
    else leaveOut(name, forwarder.error)
    return forwarder.ok ? forwarder.value : undefined
  }
  try {
    const entries = await entriesOf(bench, experiment, { open, leaveOut })
    const rounds = await measureAll(bench, experiment, entries)
    return { experiment, absent, measured: entries.map(({ label, forwarder, clients, ledgers }, index) => ({ label, forwarder, clients, ledgers, rounds: rounds[index]! })) }
  } finally {
    await Promise.all(opened.map(async forwarder => { await forwarder.close() }))
  }
}

/** What an experiment is called. */
export function titleOf ({ kind, clients, bytes }: Experiment): string {
  return kind === 'tokens' ? kind : `${kind}, ${clients} ${clients === 1 ? 'client' : 'clients'}, ${bytes} bytes`
}

async function openOne ({ lab }: Bench, { kind, clients: most }: Experiment, name: ForwarderName, clients: number): Promise<Opened> {
  const targets = targetOf(lab, kind).endpoints(targetCount(clients))
  // A push goes from thread to thread: the time it takes is not that of one processor.
  return await openForwarder(name, { targets, clients: most, prefix: kind === 'tokens' ? [] : lab.cores.forwarder })
}

function targetOf (lab: Lab, kind: Experiment['kind']): Target {
  return kind === 'latency' ? lab.echo : lab.sink
}

async function entriesOf (bench: Bench, experiment: Experiment, cast: Cast): Promise<readonly Entry[]> {
  switch (experiment.kind) {
    case 'saturation':
    case 'shared': return (await sidesOf(bench, experiment, cast)).map(side => entryOf(side, async () => await side.saturation(bench.options.seconds)))
    case 'loss': return (await sidesOf(bench, experiment, cast)).map(side => entryOf(side, async () => await side.lossFree(bench.options.seconds)))
    case 'sessions': return (await sidesOf(bench, experiment, cast, [FEW_SESSIONS, experiment.clients])).map(side => entryOf(side, async () => await side.saturation(bench.options.seconds)))
    case 'latency': return await latencyEntries(bench, await sidesOf(bench, experiment, cast))
    case 'tokens': return await proxyEntries(experiment, cast, async proxy => await pushTokens(bench, proxy))
    case 'memory': return await proxyEntries(experiment, cast, async proxy => await fill(bench, experiment, proxy))
  }
}

async function sidesOf ({ lab, say }: Bench, experiment: Experiment, { open, leaveOut }: Cast, counts: readonly number[] = [experiment.clients]): Promise<readonly Side[]> {
  const sides: Side[] = []
  for (const name of experiment.forwarders) {
    for (const clients of counts) {
      const forwarder = await open(name, clients)
      if (forwarder === undefined) continue
      const label = counts.length === 1 ? name : `${name}, ${clients}`
      const side = new Side({ label, lab, forwarder, target: targetOf(lab, experiment.kind), clients, bytes: experiment.bytes })
      say(`${titleOf(experiment)}: ${label} is up`)
      const fault = await side.prepare()
      if (fault === undefined) sides.push(side)
      else leaveOut(name, fault)
    }
  }
  return sides
}

function entryOf (side: Side, measure: () => Promise<Figures>): Entry {
  return { label: side.label, forwarder: side.forwarder.name, clients: side.clients, ledgers: side.ledgers, measure }
}

// A measurement in which nothing came back has no figures to show.
function shortOf (value: number | null): string {
  return value === null ? '–' : String(Number(value.toPrecision(4)))
}

// The same rate for all, and one that all can do. socat is not asked: it is not made for this.
async function latencyEntries ({ options, say }: Bench, sides: readonly Side[]): Promise<readonly Entry[]> {
  let rate = options.roundTrips
  for (const side of sides) {
    if (side.forwarder.name === 'socat') continue
    for (; rate > 1; rate = Math.floor(rate / 2)) {
      const { perSecond = 0, lostPercent = 100, p50Us = Infinity } = await side.roundTrips(PROBE_SECONDS, rate)
      if (perSecond >= rate * ENOUGH && lostPercent <= (1 - ENOUGH) * 100 && p50Us < QUEUED_US) break
      say(`${side.label} cannot do ${rate} round trips a second here: all are measured at ${Math.floor(rate / 2)}`)
    }
  }
  return sides.map(side => entryOf(side, async () => await side.roundTrips(options.seconds * 2, rate)))
}

async function proxyEntries ({ forwarders, clients }: Experiment, { open }: Cast, measure: (proxy: ProxyForwarder) => Promise<Figures>): Promise<readonly Entry[]> {
  const entries: Entry[] = []
  for (const name of forwarders) {
    // These experiments are about our own engines only.
    const proxy = await open(name, clients) as ProxyForwarder | undefined
    if (proxy !== undefined) entries.push({ label: name, forwarder: name, clients, ledgers: [], measure: async () => await measure(proxy) })
  }
  return entries
}

async function pushTokens ({ lab, options }: Bench, proxy: ProxyForwarder): Promise<Figures> {
  const before = await proxy.metric('udp_director_tokens_active')
  const [{ address, port }] = lab.sink.endpoints(1) as [{ address: string, port: number }]
  const pushed = await lab.pusher.call('push', {
    socketPath: proxy.socketPath,
    perSecond: options.pushes,
    seconds: options.seconds * 2,
    target: { key: `address/${address}`, address, ports: { default: port } }
  })
  const after = await proxy.metric('udp_director_tokens_active')
  if (after - before !== pushed.acknowledged) throw new Error(`${proxy.name}: ${pushed.acknowledged} tokens acknowledged, but ${after - before} are there`)
  return { perSecond: pushed.perSecond, p50Us: pushed.p50Us, p99Us: pushed.p99Us, refused: pushed.refused }
}

async function fill ({ lab }: Bench, { clients, bytes }: Experiment, proxy: ProxyForwarder): Promise<Figures> {
  const emptyBytes = residentBytes(proxy.pid)
  const side = new Side({ label: proxy.name, lab, forwarder: proxy, target: lab.sink, clients, bytes })
  const fault = await side.prepare()
  if (fault !== undefined) throw new Error(`${proxy.name}: ${fault}`)
  const fullBytes = residentBytes(proxy.pid)
  return { emptyMegabytes: emptyBytes / 1e6, fullMegabytes: fullBytes / 1e6, addedMegabytes: (fullBytes - emptyBytes) / 1e6, bytesPerSession: (fullBytes - emptyBytes) / clients }
}

async function measureAll ({ options, say }: Bench, experiment: Experiment, entries: readonly Entry[]): Promise<ReadonlyArray<readonly Figures[]>> {
  // Code that has not run yet is slow. The search for the loss-free rate begins with such a run by itself.
  if (experiment.kind !== 'memory' && experiment.kind !== 'loss') {
    for (const { label, measure } of entries) {
      say(`${titleOf(experiment)}: ${label} warms up`)
      await measure()
    }
  }
  const rounds = entries.map((): Figures[] => [])
  // Sessions that are there stay there: memory is measured once.
  const count = experiment.kind === 'memory' ? 1 : options.rounds
  for (let round = 0; round < count; round++) {
    const turn = [...entries.entries()]
    // Nobody is always the first.
    for (const [index, { label, measure }] of round % 2 === 0 ? turn : turn.reverse()) {
      const figures = await measure()
      rounds[index]!.push(figures)
      say(`${titleOf(experiment)}, round ${round + 1} of ${count}: ${label}: ${Object.entries(figures).map(([name, value]) => `${name} ${shortOf(value)}`).join(', ')}`)
    }
  }
  return rounds
}
