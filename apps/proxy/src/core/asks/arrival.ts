// One datagram of a client on its way through the packet path: where it came from and when. There is one of these, written anew
// for each datagram.
import { ADDRESS_WORDS } from '#wire/address.js'
import { TOKEN_WORDS } from '#wire/token.js'
import { CLIENT_KEY_WORDS } from '../tables/session-table.js'

export class Arrival {
  /** Address words and port. */
  readonly client = new Uint32Array(CLIENT_KEY_WORDS)
  /** The number of its token, if it has one. */
  readonly token = new Uint32Array(TOKEN_WORDS)
  dataPort = 0
  /** Number of the address of ours that it was sent to. */
  local = 0
  /** In ms. */
  now = 0

  /** @param words the client's address, and whatever follows it */
  set (words: Uint32Array, port: number, dataPort: number, local: number, now: number): void {
    for (let word = 0; word < ADDRESS_WORDS; word++) this.client[word] = words[word]!
    this.client[ADDRESS_WORDS] = port
    this.dataPort = dataPort
    this.local = local
    this.now = now
  }

  get clientPort (): number { return this.client[ADDRESS_WORDS]! }
}
