// The kernel's choice of a worker, on packets of every form: the program is run here by a small machine of its own, and
// must agree with the arithmetic that deals out sessions after a restart.
import t from 'tap'
import { addressWords } from '#wire/address.js'
import { affinityProgram } from '../../src/engines/batch/ports/client-affinity.js'
import { shardOfClient } from '../../src/engines/shard-of-client.js'

interface Packet {
  /** From the IP header on; fragments are put together. */
  readonly bytes: Buffer
  readonly isIPv4: boolean
  /** Behind the UDP header, as far as UDP goes. */
  readonly dataLength: number
}

const SKF_NET = -0x10_0000
const SKF_PROTOCOL = -0x1000

/** Runs a program as the kernel does (Documentation/networking/filter.rst): loads beyond the packet end it with 0. */
function run (program: ReturnType<typeof affinityProgram>, { bytes, isIPv4, dataLength }: Packet): number {
  const scratch = new Uint32Array(16)
  let [a, x] = [0, 0]
  const load = (offset: number, width: number): number => {
    if (offset === SKF_PROTOCOL) return isIPv4 ? 0x0800 : 0x86dd
    if (offset >= 0) throw new Error('reads data')
    const at = offset - SKF_NET
    return at < 0 || at + width > bytes.length ? NaN : bytes.readUIntBE(at, width)
  }
  for (let place = 0; ; place++) {
    const [code, k = 0, whenTrue = 0, whenFalse = 0] = program[place]!
    switch (code) {
      case 0x00: a = k; break
      case 0x20: a = load(k, 4); break
      case 0x28: a = load(k, 2); break
      case 0x30: a = load(k, 1); break
      case 0x48: a = load(x + k | 0, 2); break
      case 0x50: a = load(x + k | 0, 1); break
      case 0x60: a = scratch[k]!; break
      case 0x61: x = scratch[k]!; break
      case 0x81: x = dataLength; break
      case 0x02: scratch[k] = a; break
      case 0x04: a += k; break
      case 0x0c: a += x; break
      case 0x1c: a -= x; break
      case 0x24: a = Math.imul(a, k); break
      case 0x64: a <<= k; break
      case 0x74: a >>>= k; break
      case 0x94: a %= k; break
      case 0x54: a &= k; break
      case 0xac: a ^= x; break
      case 0x15: place += a === k ? whenTrue : whenFalse; break
      case 0x05: place += k; break
      case 0x07: x = a; break
      case 0x16: return a
      default: throw new Error(`instruction ${code}`)
    }
    if (Number.isNaN(a)) return 0
    a >>>= 0
  }
}

function udp (port: number, data: Buffer): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt16BE(port, 0)
  header.writeUInt16BE(7777, 2)
  header.writeUInt16BE(8 + data.length, 4)
  return Buffer.concat([header, data])
}

const octets = (address: string): Buffer => Buffer.concat([...addressWords(address)!].map(word => Buffer.from([word >>> 24, word >>> 16 & 255, word >>> 8 & 255, word & 255])))

function ipv4 (address: string, options: Buffer, payload: Buffer): Buffer {
  const header = Buffer.alloc(20)
  header[0] = 0x40 | (20 + options.length) / 4
  header.writeUInt16BE(20 + options.length + payload.length, 2)
  header[9] = 17
  octets(address).copy(header, 12, 12)
  return Buffer.concat([header, options, payload])
}

/** An extension header of this type and length in units of 8 bytes; its successor is filled in by `ipv6`. */
type Extension = readonly [type: number, units: number]

function ipv6 (address: string, extensions: readonly Extension[], payload: Buffer): Buffer {
  const header = Buffer.alloc(40)
  header[0] = 0x60
  header[6] = extensions[0]?.[0] ?? 17
  octets(address).copy(header, 8)
  const chain = extensions.map(([, units], index) => {
    const bytes = Buffer.alloc(units * 8, 0x11) // bytes that look like the number of UDP
    bytes[0] = extensions[index + 1]?.[0] ?? 17
    bytes[1] = units - 1
    return bytes
  })
  const body = Buffer.concat([...chain, payload])
  header.writeUInt16BE(body.length, 4)
  return Buffer.concat([header, body])
}

const [hopByHop, routing, fragment, destination] = [[0, 1], [43, 3], [44, 1], [60, 1]] as const satisfies Extension[]

const chains: Readonly<Record<string, readonly Extension[]>> = {
  'no extension header': [],
  'hop-by-hop options': [hopByHop],
  'long hop-by-hop options': [[0, 256]],
  'destination options': [destination],
  'a routing header': [routing],
  'a fragment header that is not a fragment\'s': [fragment],
  'all of RFC 8200, 4.1': [hopByHop, destination, routing, fragment, destination],
  'as many as are walked': Array.from({ length: 8 }, () => destination),
  'one more': Array.from({ length: 9 }, () => destination),
  'a hundred': Array.from({ length: 100 }, (_, index) => [60, 1 + index % 3] as const)
}

const clients = Array.from({ length: 40 }, (_, index) => ({ port: 1024 + index * 997, four: `192.0.2.${index + 1}`, six: `2001:db8:${(index * 77).toString(16)}::${(index + 1).toString(16)}` }))
const payloads = { 'no data': Buffer.alloc(0), 'some data': Buffer.from('hello'), 'bytes like UDP\'s number': Buffer.alloc(1200, 17), '63,000 bytes': Buffer.alloc(63_000, 1) }

for (const workers of [2, 3, 4, 8]) {
  void t.test(`${workers} workers: a client has one, whatever comes before the UDP header`, t => {
    const program = affinityProgram(workers)
    for (const { port, four, six } of clients) {
      for (const [what, data] of Object.entries(payloads)) {
        for (let options = 0; options <= 40; options += 4) {
          const packet = { bytes: ipv4(four, Buffer.alloc(options, 1), udp(port, data)), isIPv4: true, dataLength: data.length }
          if (run(program, packet) !== shardOfClient(addressWords(four)!, port, workers)) t.fail(`${four} ${port}, ${options} bytes of options, ${what}`)
        }
        for (const [name, extensions] of Object.entries(chains)) {
          const packet = { bytes: ipv6(six, extensions, udp(port, data)), isIPv4: false, dataLength: data.length }
          if (run(program, packet) !== shardOfClient(addressWords(six)!, port, workers)) t.fail(`${six} ${port}, ${name}, ${what}`)
        }
      }
      // RFC 9868: what comes behind the datagram belongs to the packet, and not to UDP.
      const surplus = { bytes: ipv6(six, [hopByHop, destination], Buffer.concat([udp(port, Buffer.from('x')), Buffer.alloc(30)])), isIPv4: false, dataLength: 1 }
      if (run(program, surplus) !== shardOfClient(addressWords(six)!, port, workers)) t.fail(`${six} ${port} with a surplus`)
    }
    t.equal(new Set(clients.map(({ port, six }) => shardOfClient(addressWords(six)!, port, workers))).size, workers, 'and all workers have some')
    t.end()
  })
}
