// Bytes and order: thousands of datagrams of every size through the director and back, compared one by one.
import { createHash } from 'node:crypto'
import { openUdpPeer } from '#testkit/udp-peer.js'
import type { Suite } from '../checks.js'
import { DATA_PORT, query, startDirector } from '../director.js'

const COUNT = 5000
// So many are under way at once: less than the smallest receive buffer a system grants.
const WINDOW = 32
const LARGEST = 65_507

export const integrity: Suite = {
  name: 'Integrity: what goes in comes out',
  needs: [],
  run: async checks => {
    const server = await openUdpPeer()
    const client = await openUdpPeer()
    server.onDatagram(({ bytes, address, port }) => { void server.send(bytes, port, address) })
    const director = await startDirector([{ name: 'echo', address: '127.0.0.1', port: server.port }])
    const dataPort = director.dataPorts[DATA_PORT]!

    await checks.check(`${COUNT} datagrams of 0 to 1,400 bytes arrive in order and identical, there and back`, async () => {
      await client.send(await query(director, 'echo'), dataPort)
      for (let first = 0; first < COUNT; first += WINDOW) {
        const batch = Array.from({ length: Math.min(WINDOW, COUNT - first) }, (_, index) => payload(first + index))
        for (const bytes of batch) await client.send(bytes, dataPort)
        for (const [index, bytes] of batch.entries()) {
          if (!(await client.next()).bytes.equals(bytes)) throw new Error(`datagram ${first + index} came back different or out of order`)
        }
      }
      server.received.forEach(({ bytes }, index) => {
        if (!bytes.equals(payload(index))) throw new Error(`datagram ${index} arrived different or out of order`)
      })
      if (server.received.length !== COUNT) throw new Error(`the server received ${server.received.length} datagrams`)
    })
    await checks.check(`a datagram of ${LARGEST.toLocaleString('en')} bytes arrives whole, there and back`, async () => {
      const bytes = Buffer.alloc(LARGEST, payload(1399))
      await client.send(bytes, dataPort)
      if (!(await client.next()).bytes.equals(bytes)) throw new Error('it came back different')
    })
    await client.close()
    await server.close()
  }
}

/** The datagram of this number: bytes that look random, a length of 0 to 1,400 that depends on the number. */
function payload (index: number): Buffer {
  const length = index * 7919 % 1401
  // One byte at least, because a hash of no bytes is refused.
  return createHash('shake256', { outputLength: Math.max(length, 1) }).update(String(index)).digest().subarray(0, length)
}
