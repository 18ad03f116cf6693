// A set of port numbers, a bit each: 8 KiB, and one look tells whether a port is in it.
const PORTS = 65_536

/** A port, or both ends of a range of them. */
export type PortRange = readonly [first: number, last: number]

export class PortSet {
  readonly #bits = new Uint32Array(PORTS / 32)

  constructor (ranges: readonly PortRange[]) {
    for (const [first, last] of ranges) {
      for (let port = first; port <= last; port++) this.#bits[port >>> 5]! |= 1 << (port & 31)
    }
  }

  has (port: number): boolean {
    return (this.#bits[port >>> 5]! >>> (port & 31) & 1) === 1
  }
}
