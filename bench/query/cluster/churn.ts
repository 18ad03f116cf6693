// What goes on in a cluster: players come and go, matches begin and end, servers are replaced; at a steady rate.
import type { KubeApi } from '#testkit/kube-api/start-kube-api.js'
import { gameServer, isFixed, NAMESPACE, TYPE, type Spread } from '../game-servers.js'

const TICK_MS = 10
// A cluster that fell behind by more than this does not catch up: a burst would be another load than the one asked for.
const MAX_BEHIND_MS = 200

const freeStates = ['Allocated', 'Ready', 'Reserved'] as const

export class Churn {
  readonly #api: KubeApi
  readonly #spread: Spread
  readonly #names: string[]
  readonly #generations = new Map<number, number>()
  #timer: NodeJS.Timeout | undefined
  #events = 0

  /** @param names of the servers with the numbers 0, 1, … */
  constructor (api: KubeApi, spread: Spread, names: readonly string[]) {
    this.#api = api
    this.#spread = spread
    this.#names = [...names]
  }

  /** Makes so many events a second from now on. */
  start (eventsPerSecond: number): void {
    const perMs = eventsPerSecond / 1000
    let due = 0
    let lastMs = performance.now()
    this.#timer = setInterval(() => {
      const nowMs = performance.now()
      due = Math.min(due + (nowMs - lastMs) * perMs, MAX_BEHIND_MS * perMs)
      lastMs = nowMs
      for (; due >= 1; due--) this.#change()
    }, TICK_MS)
  }

  stop (): void {
    clearInterval(this.#timer)
  }

  // Nine of ten are players, one a state; every hundredth is a server that goes and another one in its place.
  #change (): void {
    const event = ++this.#events
    const number = Math.imul(event, 0x9E3779B1) >>> 0
    const server = number % this.#names.length
    if (event % 10 !== 0 || isFixed(server, this.#spread)) this.#players(server, event)
    else if (event % 100 === 0) this.#replace(server)
    else this.#patch(server, { status: { state: freeStates[event / 10 % freeStates.length] } })
  }

  #players (server: number, event: number): void {
    const count = event % 64
    this.#patch(server, {
      metadata: { annotations: { 'agones.dev/sdk-players': String(count) } },
      status: { counters: { rooms: { count: count % 10, capacity: 10 } }, lists: { players: { capacity: 64, values: Array.from({ length: count % 4 }, (_, player) => `p${event}-${player}`) } } }
    })
  }

  #replace (server: number): void {
    const generation = (this.#generations.get(server) ?? 0) + 1
    this.#generations.set(server, generation)
    this.#api.store.delete(TYPE, this.#key(server))
    this.#names[server] = this.#api.store.create(TYPE, gameServer(server, this.#spread, generation)).metadata.name
  }

  #patch (server: number, change: Readonly<Record<string, unknown>>): void {
    this.#api.store.patch(TYPE, this.#key(server), change)
  }

  #key (server: number): string {
    return `${NAMESPACE}/${this.#names[server]!}`
  }
}
