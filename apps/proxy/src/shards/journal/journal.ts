// Tells people and control what happens in the core: the log's key messages and the event stream. Lines are limited per
// second and cause, so that a flood of clients cannot flood the disk. Events are made only of the kinds that somebody reads;
// what is neither a line nor an event costs no text.
import { formatAddress, formatEndpoint } from '#wire/address.js'
import { tokenFromWords } from '#wire/token.js'
import type { Clock } from '#core/clock.js'
import type { EventKind } from '#rpc/contract.js'
import type { Asked as RpcAsked, Binding } from '#rpc/replica-schemas.js'
import { Budget } from '../../core/ledger/budget.js'
import type { GoneActionName } from '../../core/ledger/counters.js'
import { dropReasons } from '../../core/ledger/drop-reason.js'
import type { Asked, BindingChange, ClientDrop, Observer, Refusal, SessionChange } from '../../core/ledger/observer.js'
import type { BindingView } from '../../core/sessions/elsewhere.js'
import type { Operations } from '../../core/sessions/operations.js'
import type { LeftOut } from './left-out.js'
import type { ShardVoice } from './shard-voice.js'

/** The log's sentence for each change of a session. */
const sentences = {
  established: 'Session established',
  reset: 'Session reset',
  moved: 'Session moved',
  expired: 'Session timed out',
  ended: 'Session ended'
} as const satisfies Record<SessionChange, string>

const goneSentences = {
  keep: 'Target is gone, its sessions are kept',
  close: 'Target is gone, its sessions were ended',
  default: 'Target is gone, its sessions were moved to the default endpoint'
} as const satisfies Record<GoneActionName, string>

// Every expired session is one line of the sweep's summary already.
function levelOf (change: SessionChange): 'debug' | 'info' {
  return change === 'expired' ? 'debug' : 'info'
}

export interface JournalDeps {
  readonly voice: ShardVoice
  readonly clock: Clock
  readonly linesPerSecond: number
  /** The core is made with its observer, so these are asked for when first needed. */
  readonly operations: () => Operations
  readonly dataPortName: (index: number) => string
  /** From the core's words to those of control. */
  readonly replicaWords: {
    readonly asked: (ask: Asked) => RpcAsked
    readonly binding: (view: BindingView) => Binding
  }
  /** A client waits from now on, and somebody has to keep time. */
  readonly onAsked: () => void
}

export class Journal implements Observer {
  readonly #deps: JournalDeps
  readonly #budgets: Readonly<Record<SessionChange, Budget>>
  readonly #goneBudget: Budget
  #wanted: ReadonlySet<EventKind> = new Set()

  constructor (deps: JournalDeps) {
    this.#deps = deps
    const budget = (): Budget => new Budget(deps.linesPerSecond)
    this.#budgets = { established: budget(), reset: budget(), moved: budget(), expired: budget(), ended: budget() }
    this.#goneBudget = budget()
  }

  /** Makes events of these kinds from now on, and of no others. */
  want (kinds: readonly EventKind[]): void {
    this.#wanted = new Set(kinds)
  }

  /** Log lines left out so far. */
  get suppressed (): number {
    return [...Object.values(this.#budgets), this.#goneBudget].reduce((sum, { suppressed }) => sum + suppressed, 0)
  }

  * takeLeftOut (): Iterable<LeftOut> {
    for (const [change, budget] of Object.entries(this.#budgets) as Array<[SessionChange, Budget]>) {
      yield { level: levelOf(change), sentence: sentences[change], leftOut: budget.takeLeftOut() }
    }
    yield { level: 'info', sentence: 'Target is gone', leftOut: this.#goneBudget.takeLeftOut() }
  }

  readonly sessionChanged = (change: SessionChange, slot: number): void => {
    const isEvent = this.#wanted.has('session')
    const isLine = this.#budgets[change].allows(this.#deps.clock.now())
    if (!isEvent && !isLine) return
    const operations = this.#deps.operations()
    const target = operations.targetOf(slot)
    const client = operations.clientOf(slot)
    const sessionId = operations.idOf(slot)
    if (isEvent) this.#deps.voice.publish({ type: 'session', change, sessionId, client, target: target.key })
    if (!isLine) return
    const port = target.ports.find(candidate => candidate > 0) ?? 0
    this.#deps.voice.log(levelOf(change), { client, target: formatEndpoint(target.address, port), targetKey: target.key, sessionId }, sentences[change])
  }

  readonly tokenRedeemed = (token: Uint32Array, dataPort: number, slot: number): void => {
    if (!this.#wanted.has('redeemed')) return
    this.#deps.voice.publish({
      type: 'redeemed',
      token: tokenFromWords(token),
      dataPort: this.#deps.dataPortName(dataPort),
      sessionId: this.#deps.operations().idOf(slot)
    })
  }

  readonly tokenRefused = ({ isControlPacket, isForwarded, ...drop }: Refusal): void => {
    const fields = isForwarded ? { ...this.#fieldsOf(drop), forwarded: true } : this.#fieldsOf(drop)
    this.#deps.voice.log('warn', fields, isControlPacket ? 'Invalid token in control packet' : 'Invalid token in first datagram')
  }

  readonly datagramDropped = (drop: ClientDrop): void => {
    this.#deps.voice.log('info', this.#fieldsOf(drop), 'Datagram of a client dropped')
  }

  readonly targetGone = (key: string, action: GoneActionName, sessions: number): void => {
    if (this.#wanted.has('target')) this.#deps.voice.publish({ type: 'target', change: 'gone', target: key, action, sessions })
    if (this.#goneBudget.allows(this.#deps.clock.now())) this.#deps.voice.log('info', { targetKey: key, sessions }, goneSentences[action])
  }

  readonly asked = (ask: Asked): void => {
    if (this.#wanted.has('asked')) this.#deps.voice.publish(this.#deps.replicaWords.asked(ask))
    this.#deps.onAsked()
  }

  readonly bindingChanged = (change: BindingChange, slot: number): void => {
    if (!this.#wanted.has('binding')) return
    const view = this.#deps.operations().bindingOf(slot, this.#deps.clock.now())
    this.#deps.voice.publish({ type: 'binding', change, binding: this.#deps.replicaWords.binding(view) })
  }

  #fieldsOf ({ reason, dataPort, clientWords, clientPort }: ClientDrop): object {
    return { client: formatEndpoint(formatAddress(clientWords), clientPort), reason: dropReasons[reason].name, dataPort: this.#deps.dataPortName(dataPort) }
  }
}
