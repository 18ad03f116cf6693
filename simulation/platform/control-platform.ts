// What a simulated control process has in place of a machine. What it is given, and what it sends, is told to the books.
import { err, ok, type Result } from '#core/result.js'
import type { RpcBody } from '#rpc/contract.js'
import type { CallParts, RpcTransport } from '#rpc/transport.js'
import { markedToken, TOKEN_KEY_WORDS } from '#wire/token-mac.js'
import type { Token } from '#wire/token.js'
import { notAdvertised, type Advertised } from '../../apps/control/src/advertise/advertised.js'
import type { ControlPlatform } from '../../apps/control/src/platform.js'
import { CALL_DEADLINE_MS } from '../../apps/control/src/proxies/call-bounds.js'
import type { OpenStore, SharedStore } from '../../apps/control/src/store/shared-store.js'
import type { Fleet } from '../cast/fleet.js'
import { randomToken } from '../cast/random-token.js'
import type { Agreement } from '../checks/agreement.js'
import type { AskBook } from '../checks/ask-book.js'
import type { AnswerBook } from '../checks/answer-book.js'
import type { Keeper, Promiser } from '../checks/promiser.js'
import type { TokenBook } from '../checks/token-book.js'
import { ProcessClock } from './process-clock.js'
import { SimInventory } from './sim-inventory.js'
import { SimResolver } from './sim-resolver.js'
import { connectionOf, heardBy } from './store-connection.js'
import type { Surroundings } from './surroundings.js'
import { SimTransport, type Listening } from './transport.js'

export interface ControlSurroundings {
  readonly surroundings: Surroundings
  /** Number of the director that it is of. */
  readonly director: number
  readonly fleet: Fleet
  readonly tokens: TokenBook
  readonly answers: AnswerBook
  readonly agreement: Agreement
  readonly asks: AskBook
  /** Who listens on the proxy's socket now. */
  readonly proxy: () => (Keeper & Listening) | undefined
}

export class SimControlPlatform implements ControlPlatform {
  readonly clock: ProcessClock
  readonly random: () => number
  readonly inventory: SimInventory
  /** Whether the proxy has answered a call to drain. */
  isDrainAnswered = false
  readonly #options: ControlSurroundings
  readonly #control: Promiser
  readonly #transports: SimTransport[] = []
  readonly #stores: SharedStore[] = []

  constructor (options: ControlSurroundings, control: Promiser) {
    const { surroundings, fleet, answers } = options
    const { random, time, profile: { config } } = surroundings
    const { view } = control
    this.#options = options
    this.#control = control
    // Two of them may start within a millisecond, and the wall clock of one may be behind.
    this.clock = new ProcessClock(time, random.between(0, 100_000), random.between(-50, 50))
    this.random = random.next
    this.inventory = new SimInventory({
      surroundings,
      clock: this.clock,
      config,
      fleet,
      view,
      onChanged: key => { answers.changed(control, key) },
      onTold: keys => {
        view.told(keys)
        answers.told(control, keys)
      },
      isAlive: () => control.isAlive
    })
  }

  readonly soon = (run: () => void): void => { this.clock.after(0, run) }

  readonly makeToken = (key: Uint32Array): Token => {
    const { surroundings: { random }, tokens } = this.#options
    const token = markedToken(randomToken(random), key)
    tokens.made(this.#control, token)
    return token
  }

  readonly makeTokenKey = (): string => {
    const { random } = this.#options.surroundings
    return Array.from({ length: TOKEN_KEY_WORDS }, () => (random.bits() >>> 0).toString(16).padStart(8, '0')).join('')
  }

  readonly openInventory = async (): Promise<Result<SimInventory, string>> => await Promise.resolve(ok(this.inventory))

  readonly openResolver = (): SimResolver => {
    const { surroundings, fleet, answers } = this.#options
    const control = this.#control
    return new SimResolver({ surroundings, fleet, view: control.view, onChanged: key => { answers.changed(control, key) }, isAlive: () => control.isAlive })
  }

  readonly openAdvertised = async (): Promise<Result<Advertised, string>> => await Promise.resolve(ok(notAdvertised))

  readonly version = '0.0.0'

  readonly replicaName = (): string => `replica-${this.#control.number}`

  readonly openTransport = (calls: number): RpcTransport => {
    const { surroundings, asks, proxy } = this.#options
    const control = this.#control
    const transport = new SimTransport({ surroundings, control: control.number, calls, asks, proxy, isAlive: () => control.isAlive })
    this.#transports.push(transport)
    return this.#attended(transport)
  }

  /** In a world without a store nobody asks for it. */
  readonly openStore: OpenStore = async options => {
    const { surroundings, surroundings: { store }, director } = this.#options
    if (store === undefined) return err('There is no store here.')
    const user = { director, isAlive: () => this.#control.isAlive }
    const connection = connectionOf(user, store.open(user, { ...options, events: heardBy(user, options.events) }), surroundings)
    this.#stores.push(connection)
    return await Promise.resolve(ok(connection))
  }

  readonly networkInterfaces = (): Record<string, never> => ({})

  /** The process is gone, with its timers and connections. */
  stop (): void {
    this.clock.stop()
    for (const transport of this.#transports) transport.crash()
    for (const store of this.#stores) void store.close()
  }

  #attended ({ call, openLines, openEvents, close }: RpcTransport): RpcTransport {
    const { surroundings: { time, watch, plant }, agreement, proxy } = this.#options
    return {
      openLines,
      openEvents,
      close,
      call: async (name, parts, signal) => {
        const askedMs = time.nowMs
        signal.addEventListener('abort', () => { watch.hold('boundsHold', { of: 'ms before its deadline that a call was given up', size: askedMs + CALL_DEADLINE_MS - time.nowMs, most: 0 }) })
        const life = proxy()
        if (name === 'leaveTargets' && life !== undefined) {
          agreement.leaving(this.#control, (parts.body as RpcBody<'leaveTargets'>).gone.map(({ key }) => key), life)
          if (plant === 'goneUntold') return { status: 200, text: JSON.stringify({ instanceId: life.instanceId, sessions: {} }) }
        }
        const answer = plant === 'seenNeverTold' && name === 'tellElsewhere' ? await call(name, withoutSeen(parts), signal) : await call(name, parts, signal)
        this.isDrainAnswered ||= name === 'drain' && answer.status === 200
        return answer
      }
    }
  }
}

// A plant.
function withoutSeen ({ body, ...parts }: CallParts): CallParts {
  const { clients, ...rest } = body as RpcBody<'tellElsewhere'>
  return { ...parts, body: { ...rest, clients: clients.filter(({ change }) => change !== 'seen') } }
}
