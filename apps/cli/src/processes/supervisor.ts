// Keeps several processes running together and stops them one after the other.
import type { ProcessSpec } from '../runtime/child.js'
import { ManagedProcess, type ManagedProcessDeps } from './managed-process.js'

export class Supervisor {
  /** The process whose configuration is bad, as soon as there is one. */
  readonly refused: Promise<ProcessSpec['name']>
  readonly #processes: readonly ManagedProcess[]
  #isStopping = false
  #isKilled = false

  /** @param specs in the order in which they are to stop */
  constructor (specs: readonly ProcessSpec[], deps: Omit<ManagedProcessDeps, 'onRefused'>) {
    let onRefused: ManagedProcessDeps['onRefused'] = () => {}
    this.refused = new Promise(resolve => { onRefused = resolve })
    this.#processes = specs.map(spec => new ManagedProcess(spec, { ...deps, onRefused }))
  }

  start (): void {
    for (const process of this.#processes) process.start()
  }

  get isStopping (): boolean {
    return this.#isStopping
  }

  /** Whether the processes were not left the time to stop by themselves. */
  get isKilled (): boolean {
    return this.#isKilled
  }

  /** Stops one after the other; resolves when all have ended. */
  async stop (): Promise<void> {
    this.#isStopping = true
    for (const process of this.#processes) process.leave()
    for (const process of this.#processes) await process.stop()
  }

  /** Ends all of them at once. */
  kill (): void {
    this.#isKilled = true
    for (const process of this.#processes) process.kill()
  }
}
