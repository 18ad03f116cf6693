// Each engine of the table in the thread of a test, with the host and the loop that ship: their turns take turns with the
// test's own sockets.
import { systemClock } from '#core/system-clock.js'
import { BatchEngine } from '../../src/engines/batch/batch-engine.js'
import { openLibc, type Libc } from '../../src/engines/batch/system/libc.js'
import { openListeners } from '../../src/engines/batch/ports/listeners.js'
import { UdpSockets } from '../../src/engines/batch/system/udp-socket.js'
import { openDgramEngine } from '../../src/engines/dgram/dgram-engine.js'
import type { Engine, EngineName, EngineOptions } from '../../src/engines/engine.js'
import type { ShardBody } from '../../src/shards/body/shard-body.js'
import type { Shard, ShardCall, ShardCalls } from '../../src/shards/calls/shard.js'
import { LocalHost } from '../../src/shards/hosts/local-shard.js'
import { ShardLoop } from '../../src/shards/hosts/shard-loop.js'
import type { ToWorker } from '../../src/shards/hosts/worker-messages.js'

/** An engine, and the shard that it works for, as its host has it. */
export interface HostedEngine extends Engine {
  /** Asks the shard. */
  readonly call: Shard['call']
}

/** Binds the data ports and attaches the engine to the shard; forwards until it is closed. */
export type OpenHere = (body: ShardBody, options: EngineOptions) => Promise<HostedEngine>

const libc = await openLibc()

/** `batch` on these calls of the system. */
export function openBatchOn (libc: Libc): OpenHere {
  return async (body, options) => {
    const [listeners = []] = openListeners({ libc, sockets: new UdpSockets(libc), workers: 1, ...options })
    const engine = new BatchEngine({ libc, listeners, ...options })
    body.attach(engine)
    const messages: ToWorker[] = []
    const waiting = new Map<number, (answer: unknown) => void>()
    let calls = 0
    const loop = new ShardLoop({ body, clock: systemClock, turn: timeoutMs => engine.turn(timeoutMs) || messages.length > 0, read: () => messages.shift(), answer: (id, answer) => { waiting.get(id)?.(answer) } })
    const call = async <Name extends ShardCall> (name: Name, ...args: Parameters<ShardCalls[Name]>): Promise<ReturnType<ShardCalls[Name]>> => await new Promise(resolve => {
      waiting.set(++calls, resolve as (answer: unknown) => void)
      messages.push({ id: calls, name, args })
    })
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
    return hosted(engine, call, close)
  }
}

export const openHere = {
  batch: openBatchOn(libc),
  dgram: async (body, options) => await attached(body, await openDgramEngine(options))
} as const satisfies Record<EngineName, OpenHere>

/** `dgram` on descriptors that the system's calls have made, as it is where they can be had. */
export const openDgramWithDescriptors: OpenHere = async (body, options) => await attached(body, await openDgramEngine({ ...options, descriptors: new UdpSockets(libc) }))

async function attached (body: ShardBody, engine: Engine): Promise<HostedEngine> {
  body.attach(engine)
  const host = new LocalHost(body, systemClock)
  return await Promise.resolve(hosted(engine, host.call, async () => {
    host.close()
    await engine.close()
  }))
}

function hosted (engine: Engine, call: Shard['call'], close: () => Promise<void>): HostedEngine {
  const { name, dataPorts } = engine
  return {
    name,
    dataPorts,
    upstreamSockets: () => engine.upstreamSockets(),
    receiveDrops: () => engine.receiveDrops(),
    sendHeld: (...given) => { engine.sendHeld(...given) },
    flushHeld: () => { engine.flushHeld() },
    sweep: () => engine.sweep(),
    call,
    close
  }
}
