// Says what is wrong with the inventory once, when it goes wrong, and once more when that is over.
import type { InventoryLog } from '../objects/inventory.js'
import { formatFault, type FileFault } from './contents.js'

export class FaultLog {
  readonly #log: InventoryLog
  #known: ReadonlyMap<string, FileFault> = new Map()

  constructor (log: InventoryLog) {
    this.#log = log
  }

  /** All faults there are now; logs how they differ from those of the call before. */
  report (faults: readonly FileFault[]): void {
    const now = new Map(faults.map(fault => [formatFault(fault), fault]))
    for (const [fault, { file }] of now) {
      if (!this.#known.has(fault)) this.#log.warn({ file, fault }, 'Inventory file is broken, its last good content is kept')
    }
    const broken = new Set(faults.map(({ file }) => file))
    const mended = new Set([...this.#known.values()].map(({ file }) => file).filter(file => !broken.has(file)))
    for (const file of mended) this.#log.info({ file }, 'Inventory file is without fault again')
    this.#known = now
  }
}
