// A small file that is read again when it changes. It is polled: that sees every way there is to change a file, the swap
// of the ..data link by which Kubernetes updates a mounted Secret among them. What cannot be used is reported, and what
// it last said when it could goes on.
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import type { BaseLogger } from 'pino'
import type { Cancel, Clock } from '#core/clock.js'
import { err, ok, type Result } from '#core/result.js'
import { textFromBytes } from '#core/text-from-bytes.js'

export interface FollowedFileOptions<Value> {
  readonly path: string
  readonly clock: Clock
  readonly log: BaseLogger
  /** The error is a clause that says what is wrong, and nothing of the content. */
  readonly parse: (text: string) => Result<Value, string>
  /** After every reading that found something new, good or bad. */
  readonly onRead: (outcome: 'ok' | 'fault') => void
  /** What the log says of such a reading. Default: that of keys. */
  readonly sentences?: FileSentences
}

export interface FileSentences {
  readonly ok: string
  readonly fault: string
}

const ofKeys: FileSentences = { ok: 'Keys read again', fault: 'Keys cannot be read, the last good ones stay' }

export const POLL_MS = 2000
const MAX_BYTES = 1_048_576

export class FollowedFile<Value> {
  readonly #options: FollowedFileOptions<Value>
  readonly #stopPolling: Cancel
  #value: Value
  #text: string
  #fault: string | undefined
  #polling: Promise<void> | undefined

  private constructor (options: FollowedFileOptions<Value>, text: string, value: Value) {
    this.#options = options
    this.#text = text
    this.#value = value
    this.#stopPolling = options.clock.every(POLL_MS, () => { this.#polling ??= this.#poll().finally(() => { this.#polling = undefined }) })
  }

  /** Reads it for the first time; fails with a clause if it cannot be used. */
  static async open<Value> (options: FollowedFileOptions<Value>): Promise<Result<FollowedFile<Value>, string>> {
    const text = await readSmall(options.path)
    if (!text.ok) return text
    const parsed = options.parse(text.value)
    if (!parsed.ok) return parsed
    options.onRead('ok')
    return ok(new FollowedFile(options, text.value, parsed.value))
  }

  /** What it says now, or said last when it could be used. */
  get value (): Value {
    return this.#value
  }

  async close (): Promise<void> {
    this.#stopPolling()
    await this.#polling
  }

  async #poll (): Promise<void> {
    const { path, log, parse, onRead, sentences = ofKeys } = this.#options
    const text = await readSmall(path)
    if (text.ok && text.value === this.#text && this.#fault === undefined) return
    const parsed = text.ok ? parse(text.value) : text
    if (parsed.ok && text.ok) {
      this.#text = text.value
      this.#value = parsed.value
      this.#fault = undefined
      log.info({ path }, sentences.ok)
      onRead('ok')
    } else if (!parsed.ok && parsed.error !== this.#fault) {
      this.#fault = parsed.error
      log.error({ path, fault: parsed.error }, sentences.fault)
      onRead('fault')
    }
  }
}

async function readSmall (path: string): Promise<Result<string, string>> {
  let handle
  try {
    // A pipe without a writer would keep the process waiting for ever.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const stats = await handle.stat()
    if (stats.isDirectory()) return err('it is a directory')
    if (!stats.isFile()) return err('it is not a regular file, but a pipe, a socket or a device')
    if (stats.size > MAX_BYTES) return err(`it is larger than ${MAX_BYTES} bytes`)
    const text = textFromBytes(await handle.readFile())
    return text.ok ? text : err(`it ${text.error}`)
  } catch (error) {
    return err(`it cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`)
  } finally {
    await handle?.close()
  }
}
