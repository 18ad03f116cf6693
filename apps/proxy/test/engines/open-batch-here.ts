// The batch engine in the thread of a test: its turns take turns with the test's own sockets.
import { BatchEngine, type BatchEngineOptions } from '../../src/engines/batch/batch-engine.js'
import { openLibc } from '../../src/engines/batch/libc.js'
import { openListeners } from '../../src/engines/batch/listeners.js'
import { UdpSockets } from '../../src/engines/batch/udp-socket.js'
import type { Engine, EngineOptions } from '../../src/engines/engine.js'

const libc = await openLibc()

export async function openBatchHere (options: EngineOptions & Pick<BatchEngineOptions, 'dscp'>): Promise<Engine> {
  const [listeners = []] = openListeners({ libc, sockets: new UdpSockets(libc), workers: 1, ...options })
  const engine = new BatchEngine({ libc, listeners, ...options })
  let isOpen = true
  const turn = (): void => {
    if (!isOpen) return
    engine.turn(0)
    setImmediate(turn)
  }
  turn()
  return {
    name: 'batch',
    dataPorts: engine.dataPorts,
    upstreamSockets: () => engine.upstreamSockets(),
    sweep: () => engine.sweep(),
    close: () => {
      isOpen = false
      engine.close()
      return Promise.resolve()
    }
  }
}
