// The connection that hears what other replicas say. It is another one than that of the calls: what is subscribed can do nothing
// else. It is made anew for ever; what was said meanwhile is lost, and nothing depends on it.
import type { Redis } from 'iovalkey'
import type { Cancel, Clock } from '#core/clock.js'
import { retryMs } from './connection.js'

export interface SubscriberOptions {
  /** A client that is not connected and does not reconnect by itself; undefined: there is no server to connect to now. */
  readonly open: () => Redis | undefined
  readonly channels: readonly string[]
  readonly onText: (text: string) => void
  readonly clock: Clock
  readonly random: () => number
}

/** Between two questions whether the server is still there, in ms: a connection that only listens would not notice. */
const BEAT_MS = 5000

/** The longest that anybody waits for it, in ms: calls need no messages. */
const WAIT_MS = 3000

export class Subscriber {
  readonly #options: SubscriberOptions
  #client: Redis | undefined
  #isSubscribed = false
  #isClosed = false
  #failures = 0
  #cancelRetry: Cancel = () => undefined
  #cancelBeat: Cancel = () => undefined
  #waiting: Array<(error: unknown) => void> = []

  constructor (options: SubscriberOptions) {
    this.#options = options
  }

  start (): void {
    this.#cancelBeat = this.#options.clock.every(BEAT_MS, () => { if (this.#isSubscribed) this.#client?.ping().catch(() => undefined) })
    this.#connect()
  }

  /** When it is subscribed, or this attempt has failed: then with its error. Also when nothing of that has happened for a while. */
  async tried (): Promise<unknown> {
    if (this.#isSubscribed) return undefined
    return await new Promise(resolve => {
      this.#waiting.push(resolve)
      this.#options.clock.after(WAIT_MS, () => { resolve(undefined) })
    })
  }

  close (): void {
    this.#isClosed = true
    this.#cancelRetry()
    this.#cancelBeat()
    this.#client?.disconnect()
    this.#settle(undefined)
  }

  #connect (): void {
    const client = this.#options.open()
    if (client === undefined) {
      this.#retry(new Error('there is no server'))
      return
    }
    this.#client = client
    let lastError: unknown
    client.on('error', error => { lastError = error })
    client.on('message', (_channel, text) => { this.#options.onText(text) })
    client.once('end', () => { this.#retry(lastError) })
    client.connect().then(async () => await client.subscribe(...this.#options.channels)).then(() => {
      this.#isSubscribed = true
      this.#failures = 0
      this.#settle(undefined)
    }).catch((error: unknown) => {
      lastError ??= error
      client.disconnect()
    })
  }

  #retry (error: unknown): void {
    this.#isSubscribed = false
    this.#settle(error)
    if (this.#isClosed) return
    const { clock, random } = this.#options
    this.#cancelRetry = clock.after(retryMs(++this.#failures, random()), () => { this.#connect() })
  }

  #settle (error: unknown): void {
    for (const done of this.#waiting.splice(0)) done(error)
  }
}
