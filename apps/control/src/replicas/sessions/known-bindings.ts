// What this replica knows of the bindings of its own sessions: the sequence that the store last answered for each client, of which
// target, and which of them changed since a moment. A list of sessions is old when it arrives: what changed meanwhile must not be
// written from it.
import type { Target } from '#rpc/contract.js'
import { placeOf } from './bindings.js'

interface Entry {
  sequence: number
  /** Of the target that has this sequence; 0 if it is not known. */
  place: number
  /** When it last changed, in changes of the whole table. */
  changedAt: number
  /** The round of lists that it was last seen in. */
  round: number
  /** The newest binding has not reached the store. */
  isUnwritten: boolean
  isOver: boolean
}

export class KnownBindings {
  readonly #maxClients: number
  readonly #entries = new Map<string, Entry>()
  readonly #over = new Set<string>()
  #changes = 0
  #round = 0

  /** Of so many clients; with more, those are forgotten that came first. One that is forgotten has sequence 0. */
  constructor (maxClients: number) {
    this.#maxClients = maxClients
  }

  get size (): number {
    return this.#entries.size
  }

  /** This moment, for `changedSince`. */
  get mark (): number {
    return this.#changes
  }

  /** The sequence of the client's binding; 0 if it is not known. */
  of (client: string): number {
    return this.#entries.get(client)?.sequence ?? 0
  }

  isUnwritten (client: string): boolean {
    return this.#entries.get(client)?.isUnwritten === true
  }

  /** Whether the client's session changed, or ended, after the moment of `mark`. */
  changedSince (client: string, mark: number): boolean {
    return (this.#entries.get(client)?.changedAt ?? 0) > mark
  }

  /** The client's session has changed here. */
  changed (client: string): void {
    const entry = this.#entry(client)
    entry.changedAt = ++this.#changes
    entry.isOver = false
    this.#over.delete(client)
  }

  /** The store has answered this sequence, of this target if that is known; an older one than is known changes nothing. */
  learn (client: string, sequence: number, target?: Target): void {
    const entry = this.#entry(client)
    entry.isUnwritten = false
    if (sequence < entry.sequence) return
    if (target !== undefined) entry.place = placeOf(target)
    else if (sequence > entry.sequence) entry.place = 0
    entry.sequence = sequence
  }

  /** Whether the sequence that is known is of another target than this one: then the store has not been told of this one. */
  isElsewhere (client: string, target: Target): boolean {
    const place = this.#entries.get(client)?.place ?? 0
    return place !== 0 && place !== placeOf(target)
  }

  /** The store could not be told of the client's binding, and nobody will try again before the next list. */
  leaveUnwritten (client: string): void {
    this.#entry(client).isUnwritten = true
  }

  /** The client's session here is over. It is remembered as one that changed, until `forgetOver`. */
  over (client: string): void {
    this.changed(client)
    const entry = this.#entry(client)
    entry.sequence = entry.place = 0
    entry.isUnwritten = false
    entry.isOver = true
    this.#over.add(client)
  }

  /** No list is under way: nobody asks any more about those that are over. */
  forgetOver (): void {
    for (const client of this.#over) this.#entries.delete(client)
    this.#over.clear()
  }

  /** Begins a round of lists that names every session. */
  beginRound (): void {
    this.#round++
  }

  seen (client: string): void {
    this.#entry(client).round = this.#round
  }

  /** The round is complete: who was not seen, and has not changed since `mark`, has no session here. */
  endRound (mark: number): void {
    for (const [client, { round, changedAt }] of this.#entries) if (round !== this.#round && changedAt <= mark) this.#entries.delete(client)
  }

  /** Forgets all sequences: what happened meanwhile may have been missed. */
  forgetSequences (): void {
    for (const entry of this.#entries.values()) entry.sequence = entry.place = 0
  }

  #entry (client: string): Entry {
    const known = this.#entries.get(client)
    if (known !== undefined) return known
    if (this.#entries.size >= this.#maxClients) this.#forgetFirst()
    const entry = { sequence: 0, place: 0, changedAt: 0, round: 0, isUnwritten: false, isOver: false }
    this.#entries.set(client, entry)
    return entry
  }

  #forgetFirst (): void {
    const [first] = this.#entries.keys()
    if (first === undefined) return
    this.#entries.delete(first)
    this.#over.delete(first)
  }
}
