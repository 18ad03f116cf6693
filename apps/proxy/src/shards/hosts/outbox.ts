// What a shard has said in one turn, as one message: a message for each would cost more than the datagrams it is about.
import type { ShardEvent, ShardVoice } from '../journal/shard-voice.js'
import type { FromWorker, LogEntry } from './worker-messages.js'

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
