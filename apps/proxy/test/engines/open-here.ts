// Each engine of the table in the thread of a test, with the host and the loop that ship: their turns take turns with the
// test's own sockets.
import { systemClock } from '#core/system-clock.js'
import { BatchEngine } from '../../src/engines/batch/batch-engine.js'
import { openLibc } from '../../src/engines/batch/system/libc.js'
import { openListeners } from '../../src/engines/batch/ports/listeners.js'
import { UdpSockets } from '../../src/engines/batch/system/udp-socket.js'
import { openDgramEngine } from '../../src/engines/dgram/dgram-engine.js'
import type { Engine, EngineName, EngineOptions } from '../../src/engines/engine.js'
import type { ShardBody } from '../../src/shards/body/shard-body.js'
import { ShardLoop } from '../../src/shards/hosts/shard-loop.js'

/** Binds the data ports and attaches the engine to the shard; forwards until it is closed. */
export type OpenHere = (body: ShardBody, options: EngineOptions) => Promise<Engine>

const libc = await openLibc()

export const openHere = {
  batch: async (body, options) => {
    const [listeners = []] = openListeners({ libc, sockets: new UdpSockets(libc), workers: 1, ...options })
    const engine = new BatchEngine({ libc, listeners, ...options })
    body.attach(engine)
    const messages: ['close'?] = []
    const loop = new ShardLoop({ body, clock: systemClock, turn: timeoutMs => engine.turn(timeoutMs) || messages.length > 0, read: () => messages.pop(), answer: () => {} })
    const closed = new Promise<void>(resolve => {
      const turn = (): void => {
        loop.turn(0)
        if (loop.isOpen) {
          setImmediate(turn)
          return
        }
        engine.close()
        resolve()
      }
      turn()
    })
    const close = async (): Promise<void> => {
      messages.push('close')
      await closed
    }
    return { name: engine.name, dataPorts: engine.dataPorts, upstreamSockets: () => engine.upstreamSockets(), receiveDrops: () => engine.receiveDrops(), sweep: () => engine.sweep(), close }
  },
  dgram: async (body, options) => await attached(body, await openDgramEngine(options))
} as const satisfies Record<EngineName, OpenHere>

/** `dgram` on descriptors that the system's calls have made, as it is where they can be had. */
export const openDgramWithDescriptors: OpenHere = async (body, options) => await attached(body, await openDgramEngine({ ...options, descriptors: new UdpSockets(libc) }))

async function attached (body: ShardBody, engine: Engine): Promise<Engine> {
  body.attach(engine)
  return await Promise.resolve(engine)
}
