// What the main thread and a shard's worker say to each other.
import type { ShardCall } from '../calls/shard.js'
import type { ShardEvent, ShardVoice } from '../journal/shard-voice.js'

export type ToWorker = 'close' | {
  readonly id: number
  readonly name: ShardCall
  readonly args: readonly unknown[]
}

export interface LogEntry {
  readonly level: 'trace' | 'debug' | 'info' | 'warn'
  readonly fields: object
  readonly message: string
}

export type FromWorker =
  | { readonly type: 'ready', readonly wakeFd: number }
  | { readonly type: 'answer', readonly id: number, readonly answer: unknown }
  | { readonly type: 'said', readonly events: readonly ShardEvent[], readonly lines: readonly LogEntry[] }

/** What a shard has said in one turn, as one message: a message for each would cost more than the datagrams it is about. */
export class Outbox implements ShardVoice {
  readonly #post: (message: FromWorker) => void
  #events: ShardEvent[] = []
  #lines: LogEntry[] = []

  constructor (post: (message: FromWorker) => void) {
    this.#post = post
  }

  readonly log: ShardVoice['log'] = (level, fields, message) => { this.#lines.push({ level, fields, message }) }

  readonly publish: ShardVoice['publish'] = event => { this.#events.push(event) }

  /** Posts what has gathered, if anything has. */
  flush (): void {
    if (this.#events.length === 0 && this.#lines.length === 0) return
    this.#post({ type: 'said', events: this.#events, lines: this.#lines })
    this.#events = []
    this.#lines = []
  }
}
