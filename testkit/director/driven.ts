// What every director that is driven from outside has: a folder, processes, and calls to its proxy.
import { systemClock } from '#core/system-clock.js'
import { createRpcClient, type RpcClient } from '#rpc/client.js'
import type { Sample } from '#rpc/contract.js'
import type { Folder } from '../folder.js'
import { eventually, PATIENCE_MS, until, type UntilOptions } from '../patience.js'
import type { NodeProgram } from '../processes/node-program.js'
import { sumOf } from './samples.js'

/** A director that did not start. The message has everything it said. */
export class NotStarted extends Error {
  /** The last line of what it wrote: why it ended, as a rule. */
  readonly lastLine: string

  constructor (said: string) {
    super(`the director did not start:\n${said}`)
    this.lastLine = said.trim().split('\n').at(-1) ?? ''
  }
}

export abstract class Driven {
  /** Where its files are: configuration, inventory, Unix socket. Gone when it is closed. */
  readonly folder: string
  /** Calls to the proxy as control makes them. */
  readonly rpc: RpcClient
  protected readonly files: Folder
  protected readonly env: Readonly<Record<string, string>>

  /** @param env more variables for its processes */
  protected constructor (files: Folder, config: string, env: Readonly<Record<string, string>>) {
    this.files = files
    this.folder = files.path
    const socketPath = `${files.path}/proxy.sock`
    this.env = { PATH: process.env['PATH'] ?? '', CONFIG_PATH: files.write('config.yaml', config), UDP_DIRECTOR_SOCKET: socketPath, ...env }
    this.rpc = createRpcClient({ socketPath, deadlineMs: PATIENCE_MS, maxInFlight: 50, clock: systemClock })
  }

  /** Those of its processes that we started, as they are now. */
  protected abstract processes (): readonly NodeProgram[]

  /** Its entrance for clients, by the names of the data ports. All of them are on 127.0.0.1, unless its configuration says otherwise. */
  abstract readonly dataPorts: Readonly<Record<string, number>>

  /** Ends all of it, and leaves nothing behind. */
  abstract close (): Promise<void>

  /** The proxy's counters and gauges. */
  async samples (): Promise<readonly Sample[]> {
    const stats = await this.rpc.call('stats', {})
    if (!stats.ok) throw new Error(stats.error.message)
    return stats.value.samples
  }

  /** The sum of the proxy's samples of this metric whose labels include these. */
  async sum (metric: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    return sumOf(await this.samples(), metric, labels)
  }

  /** Asks until the answer is true; a process that is just starting may refuse connections. */
  async until (holds: () => Promise<boolean> | boolean, options: Pick<UntilOptions, 'pollMs'> = {}): Promise<void> {
    await until(holds, { what: () => `${holds.toString()}\n${this.said()}`, mayFail: true, ...options })
  }

  /** Resolves when `isReady`; rejects with what the processes said as soon as one of them ends, or when it takes too long. */
  protected async started (isReady: () => Promise<boolean>, options: Pick<UntilOptions, 'pollMs'> = {}): Promise<void> {
    const state = await eventually(async () => {
      if (!this.processes().every(process => process.isRunning())) return 'ended'
      return await isReady() ? 'ready' : undefined
    }, { what: () => this.said(), mayFail: true, ...options })
    if (state === 'ready') return
    // What it said last is still on its way.
    await Promise.race(this.processes().map(async process => await process.ended))
    throw new NotStarted(this.said())
  }

  /** The last of what its processes wrote. */
  protected said (): string {
    return this.processes().map(({ name, output }) => `${name}: ${output()}`).join('\n')
  }
}

/** What `ready` returns, or what it throws after `driven` is closed. */
export async function openedOrClosed<Opened extends Driven> (driven: Opened, ready: () => Promise<void>): Promise<Opened> {
  try {
    await ready()
    return driven
  } catch (error) {
    await driven.close()
    throw error
  }
}
