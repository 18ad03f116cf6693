// Who may go on with long work: one piece in each turn of the event loop, whatever is asked for, so that everybody else
// is served between two pieces. Callers take turns; of one caller's jobs one runs at a time.

/** Jobs at once. */
export const MAX_JOBS = 256

export interface Job {
  /** Resolves when it may do its next piece. */
  readonly turn: () => Promise<void>
  /** It is done. */
  readonly leave: () => void
}

interface Waiting {
  go: (() => void) | undefined
}

export class Turns {
  // In the order of their turns.
  readonly #lines = new Map<string, Waiting[]>()
  readonly #soon: (run: () => void) => void
  #jobs = 0
  #isGoing = false

  /** @param soon calls `run` in the next turn of the event loop */
  constructor (soon: (run: () => void) => void) {
    this.#soon = soon
  }

  get jobs (): number {
    return this.#jobs
  }

  /** A new job; undefined if there are too many. It must `leave`. */
  enter (caller: string): Job | undefined {
    if (this.#jobs >= MAX_JOBS) return undefined
    this.#jobs++
    const line = this.#lines.get(caller) ?? []
    this.#lines.set(caller, line)
    const waiting: Waiting = { go: undefined }
    line.push(waiting)
    return {
      turn: async () => {
        await new Promise<void>(resolve => {
          waiting.go = resolve
          this.#goOn()
        })
      },
      leave: () => {
        const place = line.indexOf(waiting)
        if (place < 0) return
        line.splice(place, 1)
        if (line.length === 0) this.#lines.delete(caller)
        this.#jobs--
        this.#goOn()
      }
    }
  }

  #goOn (): void {
    if (this.#isGoing || this.#jobs === 0) return
    this.#isGoing = true
    this.#soon(() => {
      this.#isGoing = false
      for (const [caller, line] of this.#lines) {
        const first = line[0]
        const go = first?.go
        if (first === undefined || go === undefined) continue
        first.go = undefined
        this.#lines.delete(caller)
        this.#lines.set(caller, line)
        go()
        break
      }
      if ([...this.#lines.values()].some(([first]) => first?.go !== undefined)) this.#goOn()
    })
  }
}
