// What is between the two processes, under the product's own client and service: what is written takes its time and is
// text on its way, calls overtake each other (every one has a connection of its own), lines on one connection do not,
// connections break in the middle, and end when the other side dies.
import { Buffer } from 'node:buffer'
import type { EventKind, RpcBody, RpcEvent, RpcName, RpcReply } from '#rpc/contract.js'
import type { RpcAnswer, RpcService } from '#rpc/service.js'
import type { CallParts, LastingRequest, LinesOut, RpcTransport } from '#rpc/transport.js'
import type { AskBook } from '../checks/ask-book.js'
import { holdError, holdEvent, holdReply, holdRequest } from '../checks/contract-check.js'
import type { Surroundings } from './surroundings.js'
import { numberOfEvent, numberOfRpc } from '../checks/trace-words.js'

/** A process that may listen on the socket. */
export interface Listening {
  readonly isAlive: boolean
  /** What answers there; undefined before it listens. */
  readonly service: RpcService | undefined
  /** Called when the process dies, for those who have a connection to it. */
  readonly onCrash: Set<() => void>
}

export interface SimTransportOptions {
  readonly surroundings: Surroundings
  /** Number of the control process that calls. */
  readonly control: number
  /** Calls under way at once, at most. */
  readonly calls: number
  /** What it was asked by the proxy. */
  readonly asks: AskBook
  /** Who listens on the socket now. */
  readonly proxy: () => Listening | undefined
  /** False once the calling process is gone: nothing of it goes on. */
  readonly isAlive: () => boolean
}

/** What a connection takes before it says that it is full, in characters: Node's own bound of a socket. */
const ROOM = 16_384

const broken = Object.assign(new Error('The socket cannot be reached.'), { code: 'ECONNRESET' })

export class SimTransport implements RpcTransport {
  readonly #options: SimTransportOptions
  readonly #open = new Set<() => void>()
  #calls = 0

  constructor (options: SimTransportOptions) {
    this.#options = options
  }

  readonly call = async (name: RpcName, parts: CallParts, signal: AbortSignal): Promise<{ status: number, text: string }> => {
    const { surroundings: { random, time, trace, watch, profile: { cutCalls } }, control, calls, proxy, isAlive } = this.#options
    watch.hold('boundsHold', { of: 'calls under way', size: ++this.#calls, most: calls })
    const text = JSON.stringify({ ...parts, ...parts.query === undefined ? {} : { query: textsOf(parts.query) } })
    const request = JSON.parse(text) as CallParts
    holdRequest(watch, name, { ...request, query: parts.query })
    trace.note('asked', time.nowMs, control, numberOfRpc[name], text.length)
    const life = proxy()
    return await new Promise((resolve, reject) => {
      let isOver = false
      const finish = (end: () => void): void => {
        if (isOver || !isAlive()) return
        isOver = true
        this.#calls--
        life?.onCrash.delete(fail)
        signal.removeEventListener('abort', giveUp)
        end()
      }
      const giveUp = (): void => { finish(() => { reject(broken) }) }
      const fail = (): void => { time.plan(this.#delay(), giveUp, true) }
      signal.addEventListener('abort', giveUp)
      const isCut = cutCalls > 0 && random.chance(cutCalls)
      if (life === undefined || (isCut && random.chance(0.5))) {
        fail()
        return
      }
      life.onCrash.add(fail)
      const answered = (answer: RpcAnswer): void => {
        if (!life.isAlive) return
        const said = this.#checked(name, answer)
        if (isCut) fail()
        else time.plan(this.#delay(), () => { if (life.isAlive) finish(() => { resolve(said) }) }, true)
      }
      // Even if the caller gives up or dies: what is in the socket's buffer is read.
      time.plan(this.#delay(), () => {
        if (life.isAlive && life.service !== undefined) void life.service.answer(name, request).then(answered)
        else fail()
      }, true)
    })
  }

  readonly openLines = (name: RpcName): LastingRequest => {
    const { surroundings: { time, trace, watch, plant }, control, asks } = this.#options
    // The calls without an answer, as the tokens in them.
    const asked: Array<ReadonlySet<string>> = []
    return this.#begin({
      serve: (service, body, out) => { void service.converse(name, body, plant === 'answeredTwice' ? sayingTwice(out) : out) },
      onSent: text => {
        for (const line of linesOf(text)) {
          const body = JSON.parse(line) as Partial<RpcBody<'pushTokens'> & RpcBody<'answerAsks'>>
          holdRequest(watch, name, { body })
          asked.push(new Set(body.tokens?.map(({ token }) => token)))
          for (const { id } of body.answers ?? []) asks.answered(id)
        }
        trace.note('asked', time.nowMs, control, numberOfRpc[name], text.length)
      },
      onSaid: text => {
        for (const line of linesOf(text)) {
          const answer = JSON.parse(line) as RpcAnswer
          const call = asked.shift()
          watch.hold('linesAnsweredInOrder', call !== undefined, 'an answer without a call')
          const { rejected = [] } = answer.body as Partial<RpcReply<'pushTokens'>>
          for (const { token } of rejected) watch.hold('linesAnsweredInOrder', call?.has(token) === true, `the refusal of token ${token}, which is in another call`)
          this.#checked(name, answer)
        }
      }
    })
  }

  readonly openEvents = (kinds: readonly EventKind[], epoch: number | undefined): LastingRequest => {
    const { surroundings: { time, trace, watch }, control, asks, proxy } = this.#options
    const life = proxy()
    return this.#begin({
      serve: (service, _body, out) => {
        const refusal = service.events({ kinds: kinds.join(), ...epoch === undefined ? {} : { epoch: String(epoch) } }, out)
        watch.hold('callsFitTheContract', refusal === undefined, 'the query of the events')
      },
      onSent: () => undefined,
      onSaid: text => {
        for (const line of linesOf(text)) {
          const event = JSON.parse(line) as RpcEvent
          holdEvent(watch, event)
          trace.note('event', time.nowMs, control, numberOfEvent[event.type], line.length)
          if (event.type === 'asked' && life !== undefined) asks.heard(life, event.id)
        }
      }
    })
  }

  /** The calling process is gone, and every connection with it. */
  crash (): void {
    for (const lose of [...this.#open]) lose()
  }

  readonly close = async (): Promise<void> => {
    this.crash()
    await Promise.resolve()
  }

  #begin ({ serve, onSent, onSaid }: { serve: (service: RpcService, body: AsyncIterable<Uint8Array>, out: LinesOut) => void, onSent: (text: string) => void, onSaid: (text: string) => void }): LastingRequest {
    const { surroundings: { random, plant, profile: { cutCalls } }, proxy, isAlive } = this.#options
    const life = proxy()
    const [there, back] = [this.#direction(), this.#direction()]
    const answers = new Chunks()
    const body = new Chunks()
    let isBroken = false
    let closed: (() => void) | undefined
    // Each side finds out by itself.
    const lose = (): void => {
      if (isBroken) return
      isBroken = true
      life?.onCrash.delete(lose)
      this.#open.delete(lose)
      back(() => { if (isAlive()) answers.fail() })
      there(() => {
        body.fail()
        closed?.()
      })
    }
    life?.onCrash.add(lose)
    this.#open.add(lose)
    const response = new Promise<{ status: number, body: AsyncIterable<Uint8Array> }>(resolve => { resolve({ status: 200, body: answers }) })
    there(() => {
      if (life?.isAlive !== true || life.service === undefined) lose()
      else serve(life.service, body, this.#outOf({ life, back, answers, onSaid, lose, isBroken: () => isBroken, onClose: run => { closed = run } }))
    })
    const send = (sent: string): void => {
      if (isBroken) return
      const text = plant === 'answeredAgain' ? sayingAgain(sent) : sent
      onSent(text)
      const isCut = cutCalls > 0 && random.chance(cutCalls)
      if (!isCut || random.chance(0.5)) there(() => { if (life?.isAlive === true) body.push(text) })
      if (isCut) there(lose)
    }
    return { send, response, cut: lose }
  }

  // The serving side's end of a connection.
  #outOf ({ life, back, answers, onSaid, lose, isBroken, onClose }: { life: Listening, back: Direction, answers: Chunks, onSaid: (text: string) => void, lose: () => void, isBroken: () => boolean, onClose: (run: () => void) => void }): LinesOut {
    const { isAlive } = this.#options
    const closing: (() => void)[] = []
    let waiting = 0
    let isFull = false
    let isEnded = false
    let isClosed = false
    let drained: () => void = () => undefined
    onClose(() => {
      isClosed = true
      if (life.isAlive) for (const run of closing) run()
    })
    return {
      write: text => {
        waiting += text.length
        isFull ||= waiting >= ROOM
        back(() => {
          waiting -= text.length
          if (isAlive() && !isBroken()) {
            onSaid(text)
            answers.push(text)
          }
          if (!isFull || waiting > 0) return
          isFull = false
          if (life.isAlive) drained()
        })
        return !isFull
      },
      end: async () => {
        isEnded = true
        await new Promise<void>(resolve => {
          back(() => {
            if (isAlive()) answers.end()
            lose()
            resolve()
          })
        })
      },
      cut: lose,
      get isOver () { return isEnded || isClosed },
      onDrain: run => { drained = run },
      onClose: run => { closing.push(run) }
    }
  }

  #checked (name: RpcName, { status, body }: RpcAnswer): { status: number, text: string } {
    const { surroundings: { time, trace, watch }, control } = this.#options
    const text = JSON.stringify(body)
    const said: unknown = JSON.parse(text)
    if (status === 200) holdReply(watch, name, said)
    else holdError(watch, name, said)
    trace.note('answered', time.nowMs, control, numberOfRpc[name], status)
    return { status, text }
  }

  // One way of a connection: what is sent arrives in order.
  #direction (): Direction {
    const { time } = this.#options.surroundings
    let dueMs = 0
    return arrive => {
      dueMs = Math.max(dueMs, time.nowMs + this.#delay())
      time.plan(dueMs - time.nowMs, arrive, true)
    }
  }

  #delay (): number {
    const { random, profile } = this.#options.surroundings
    return random.between(0, profile.mostCallDelayMs)
  }
}

type Direction = (arrive: () => void) => void

/** What arrives on a connection, for the one who reads it. */
class Chunks implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array> {
  readonly #chunks: Uint8Array[] = []
  #end: 'ended' | 'broken' | undefined
  #wake: (() => void) | undefined

  push (text: string): void {
    this.#chunks.push(Buffer.from(text))
    this.#wake?.()
  }

  end (): void {
    this.#end ??= 'ended'
    this.#wake?.()
  }

  /** It breaks off: the reader gets an error. */
  fail (): void {
    this.#end ??= 'broken'
    this.#wake?.()
  }

  async next (): Promise<IteratorResult<Uint8Array>> {
    while (this.#chunks.length === 0) {
      if (this.#end === 'broken') throw broken
      if (this.#end === 'ended') return { done: true, value: undefined }
      await new Promise<void>(resolve => { this.#wake = resolve })
    }
    return { done: false, value: this.#chunks.shift()! }
  }

  [Symbol.asyncIterator] (): this { return this }
}

function sayingTwice (out: LinesOut): LinesOut {
  const { end, cut, onDrain, onClose } = out
  return { end, cut, onDrain, onClose, get isOver () { return out.isOver }, write: text => out.write(text) && out.write(text) }
}

function sayingAgain (text: string): string {
  return linesOf(text).map(line => {
    const body = JSON.parse(line) as Partial<RpcBody<'answerAsks'>>
    return body.answers === undefined ? line : JSON.stringify({ ...body, answers: [...body.answers, body.answers[0]] })
  }).map(line => `${line}\n`).join('')
}

function linesOf (text: string): string[] {
  return text.split('\n').filter(line => line !== '')
}

function textsOf (query: Readonly<Record<string, string | number | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(query).flatMap(([name, value]) => value === undefined ? [] : [[name, String(value)]]))
}
