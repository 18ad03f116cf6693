// The local port behind each upstream socket number and family: what game servers know a client by. The engine writes it
// when it opens a socket, and asks for it when it opens the socket again after a restart.
import { Changes } from '../feed/changes.js'

export class UpstreamPorts {
  readonly #ports: Uint16Array
  // How many sockets have a port: one of each family may.
  readonly #uses = new Uint8Array(65_536)
  /** Slots that changed: socket number × 2, and one more for IPv6. */
  readonly changes: Changes

  /** @param maxSockets numbers are below this */
  constructor (maxSockets: number) {
    this.#ports = new Uint16Array(maxSockets * 2)
    this.changes = new Changes(maxSockets * 2)
  }

  get slots (): number { return this.#ports.length }

  /** The port of the socket with this number and family; 0 if it has none. */
  get (socket: number, isIPv4: boolean): number {
    return this.#ports[slotOf(socket, isIPv4)]!
  }

  /** 0 when the socket is closed: any program may have its port now. */
  set (socket: number, isIPv4: boolean, port: number): void {
    const slot = slotOf(socket, isIPv4)
    if (this.#ports[slot] === port) return
    const former = this.#ports[slot]!
    if (former !== 0) this.#uses[former]!--
    if (port !== 0) this.#uses[port]!++
    this.#ports[slot] = port
    this.changes.mark(slot)
  }

  /** Whether any of them has this port. */
  has (port: number): boolean {
    return this.#uses[port]! > 0
  }

  atSlot (slot: number): number {
    return this.#ports[slot]!
  }
}

function slotOf (socket: number, isIPv4: boolean): number {
  return socket * 2 + (isIPv4 ? 0 : 1)
}
