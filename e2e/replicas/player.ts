// One player: a socket that numbers what it sends, and knows of each answer which game server it is from and through which replica.
import type { Socket } from 'node:dgram'
import { openUdpSocket } from '#testkit/udp-peer.js'
import { HERE, SHARED } from './network.js'
import { dataPorts, type DataPort } from './places.js'
import { nowMs } from './time.js'

export interface Answer {
  readonly server: string
  readonly replica: number
  readonly atMs: number
  readonly number: number
}

// Each has a port that nobody had before: who comes after somebody has their session.
let ports = 10_000

const magic = Buffer.from('FFFFFFFF5245534554', 'hex')

export class Player {
  /** The game server that the last token was for. */
  server = ''
  /** Since `forget`. */
  sent = 0
  answers: Answer[] = []
  readonly #socket: Socket
  #number = 0
  #forgotten = 0

  static async open (): Promise<Player> {
    return new Player(await openUdpSocket(HERE, ports++))
  }

  private constructor (socket: Socket) {
    this.#socket = socket
    socket.on('message', bytes => {
      const [server = '', replica, number] = bytes.toString().split(' ')
      // One that is late says nothing about what is asked now.
      if (Number(number) > this.#forgotten) this.answers.push({ server, replica: Number(replica), number: Number(number), atMs: nowMs() })
    })
  }

  get port (): number {
    return this.#socket.address().port
  }

  /** Its next datagram of data. Returns its number. */
  say (to: string = SHARED, dataPort: DataPort = 'game', port: number = dataPorts[dataPort]): number {
    this.sent++
    this.#socket.send(String(++this.#number), port, to)
    return this.#number
  }

  sendToken (token: string, to: string = SHARED, dataPort: DataPort = 'game', port: number = dataPorts[dataPort]): void {
    this.#socket.send(token, port, to)
  }

  sendReset (token: string, to: string = SHARED, dataPort: DataPort = 'game'): void {
    this.#socket.send(Buffer.concat([magic, Buffer.from(token)]), dataPorts[dataPort], to)
  }

  /** The newest answer. */
  get last (): Answer | undefined {
    return this.answers.at(-1)
  }

  /** Forgets what was sent and heard so far. */
  forget (): void {
    this.#forgotten = this.#number
    this.sent = 0
    this.answers = []
  }

  async close (): Promise<void> {
    await new Promise<void>(resolve => { this.#socket.close(resolve) })
  }
}
