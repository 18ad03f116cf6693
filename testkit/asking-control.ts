// The control side of a proxy that shares a store, with nothing behind it: it reads what is asked over the real calls, and answers what
// a test says. For tests of the proxy, and of what is between the two.
import type { RpcClient } from '#rpc/client.js'
import type { RpcBody, RpcEvent, TokenGrant } from '#rpc/contract.js'
import type { Answer, Asked, Binding } from '#rpc/replica-schemas.js'
import { TOKEN_KEY } from './objects/marked-token.js'
import { until } from './patience.js'

export interface AskingControlOptions {
  readonly epoch: number
  /** Default: the one of `markedToken`. */
  readonly tokenKeys?: string[]
  readonly tokens?: TokenGrant[]
  readonly defaultTargets?: RpcBody<'putSnapshot'>['defaultTargets']
  /** What is answered, apart from the id; nothing where it is undefined. Default: never anything. */
  readonly decide?: (asked: Asked) => Omit<Answer, 'id'> | undefined
}

export class AskingControl {
  /** What was asked, in the order in which it came. */
  readonly asked: Asked[] = []
  /** What it heard of sessions that have redeemed a token. */
  readonly bindings: Extract<RpcEvent, { type: 'binding' }>[] = []
  /** May be changed at any time. */
  decide: NonNullable<AskingControlOptions['decide']>
  readonly #client: RpcClient
  readonly #epoch: number
  readonly #ending = new AbortController()
  readonly #ended: Promise<unknown>
  #hasBegun = false

  /** Reads, and has told the proxy all that it knows. */
  static async open (client: RpcClient, { tokenKeys = [TOKEN_KEY], tokens = [], defaultTargets = [], ...options }: AskingControlOptions): Promise<AskingControl> {
    const control = new AskingControl(client, options)
    await until(() => control.#hasBegun)
    const taken = await client.call('putSnapshot', { body: { epoch: options.epoch, revoked: [], tokenKeys, tokens, defaultTargets } })
    if (!taken.ok) throw new Error(taken.error.message)
    return control
  }

  private constructor (client: RpcClient, { epoch, decide = () => undefined }: Pick<AskingControlOptions, 'epoch' | 'decide'>) {
    this.#client = client
    this.#epoch = epoch
    this.decide = decide
    this.#ended = client.events(event => { this.#hear(event) }, this.#ending.signal, ['asked', 'binding'], epoch)
  }

  /** Answers in one call; whether the proxy took it. */
  async answer (...answers: Answer[]): Promise<boolean> {
    return (await this.#client.call('answerAsks', { body: { epoch: this.#epoch, answers } })).ok
  }

  /** Waits until so many were asked, and returns the last of them. */
  async nextAsked (count: number): Promise<Asked> {
    await until(() => this.asked.length >= count, { what: () => `${this.asked.length} of ${count} asks` })
    return this.asked[count - 1]!
  }

  /** Waits for a change of this client's session. */
  async nextBinding (client: string, change: string): Promise<Binding> {
    const found = (): Binding | undefined => this.bindings.find(event => event.binding.client === client && event.change === change)?.binding
    await until(() => found() !== undefined, { what: () => `${change} of ${client} among ${JSON.stringify(this.bindings)}` })
    return found()!
  }

  /** It is gone, as after a kill: its stream ends in the middle. */
  async close (): Promise<void> {
    this.#ending.abort()
    await this.#ended
  }

  #hear (event: RpcEvent): void {
    if (event.type === 'hello') this.#hasBegun = true
    else if (event.type === 'binding') this.bindings.push(event)
    else if (event.type === 'asked') {
      this.asked.push(event)
      const answer = this.decide(event)
      if (answer !== undefined) void this.answer({ id: event.id, ...answer })
    }
  }
}
