// The body of one watch: frames in, lines out, through the faults that a test asked for. What it sends is for watch.ts.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { cutResponse, piecesOf } from '../faults/body-bytes.js'
import type { Faults } from '../faults/fault.js'
import type { Cut, Frame, FrameFault, Outgoing } from '../faults/frame.js'
import { textOf, type KubeObject } from '../objects/resource-type.js'

export class WatchStream {
  readonly #response: ServerResponse
  readonly #raw: Socket
  readonly #frameFaults: readonly FrameFault[]
  readonly #pieces: number | 'within-characters' | undefined
  #state: 'open' | 'stalled' | 'ended' = 'open'

  constructor (response: ServerResponse, raw: Socket, faults: Faults) {
    this.#response = response
    this.#raw = raw
    this.#frameFaults = faults.all('frames').map(({ start }) => start())
    this.#pieces = faults.first('pieces')?.bytes
    response.once('close', () => { this.#state = 'ended' })
  }

  /** False once it ended from either side. */
  get isOpen (): boolean {
    return this.#state !== 'ended'
  }

  open (): void {
    this.#response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' })
    this.#response.flushHeaders()
    this.#send({ type: 'OPEN', text: '' })
  }

  event (type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): void {
    this.#send({ type, text: `{"type":"${type}","object":${textOf(object)}}` })
  }

  bookmark (object: object): void {
    this.#send({ type: 'BOOKMARK', text: JSON.stringify({ type: 'BOOKMARK', object }) })
  }

  error (status: object): void {
    this.#send({ type: 'ERROR', text: JSON.stringify({ type: 'ERROR', object: status }) })
  }

  /** Writes text as it is, past all faults. */
  raw (text: string): void {
    this.#write(text)
  }

  /** Ends it now; what is sent after that goes nowhere. */
  cut (how: Cut): void {
    if (this.#state !== 'open') return
    this.#state = how === 'stall' ? 'stalled' : 'ended'
    cutResponse(this.#response, this.#raw, how)
  }

  #send (frame: Frame): void {
    let outgoing: readonly Outgoing[] = [frame]
    for (const fault of this.#frameFaults) outgoing = outgoing.flatMap(item => 'cut' in item ? [item] : fault(item))
    for (const item of outgoing) {
      if ('cut' in item) {
        if (item.text !== undefined) this.#write(item.text)
        this.cut(item.cut)
      } else if (item.type !== 'OPEN') this.#write(`${item.text}\n`)
    }
  }

  #write (text: string): void {
    if (this.#state !== 'open') return
    for (const piece of piecesOf(Buffer.from(text), this.#pieces)) this.#response.write(piece)
  }
}
