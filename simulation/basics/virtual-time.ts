// Time that passes when the simulation says so. One queue for everything that is to happen: timers of the processes,
// datagrams and calls on their way. What is due at the same moment happens in the order in which it was planned.

/** Something planned; `cancelled` ones are skipped. */
export interface Plan {
  readonly dueMs: number
  readonly order: number
  readonly run: () => void
  /** Whether promises may go on after it: those have to settle before the next one runs. */
  readonly wakes: boolean
  isCancelled: boolean
}

/** Runs every microtask there is, and those that they bring: the queue of ticks is next when there is none left. */
export async function settle (): Promise<void> {
  await new Promise<void>(resolve => { process.nextTick(resolve) })
}

export class VirtualTime {
  nowMs = 0
  // A binary heap, the earliest first.
  readonly #heap: Plan[] = []
  #planned = 0
  #end = 0

  get pending (): number { return this.#heap.length }

  plan (delayMs: number, run: () => void, wakes: boolean): Plan {
    const plan: Plan = { dueMs: this.nowMs + Math.max(0, delayMs), order: this.#planned++, run, wakes, isCancelled: false }
    this.#push(plan)
    return plan
  }

  /** Lets `ms` pass, with everything that is due meanwhile. */
  async advance (ms: number): Promise<void> {
    this.#end = this.nowMs + ms
    while (this.#runUntilWake()) await settle()
    this.nowMs = this.#end
  }

  // True if promises have to settle before it goes on.
  #runUntilWake (): boolean {
    for (let next = this.#heap[0]; next !== undefined && next.dueMs <= this.#end; next = this.#heap[0]) {
      this.#pop()
      if (next.isCancelled) continue
      this.nowMs = next.dueMs
      next.run()
      if (next.wakes) return true
    }
    return false
  }

  #push (plan: Plan): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(plan)
    while (at > 0) {
      const parent = at - 1 >> 1
      if (!isBefore(plan, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = plan
  }

  #pop (): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
  }
}

function isBefore (one: Plan, other: Plan): boolean {
  return one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.order < other.order)
}
