// The machine as the measurements see it: a load generator, a sink and an echo, each a process on its processor.
import { openHelper, type Helper } from '#testkit/processes/helper.js'
import { chooseCores, type Cores } from './cores.js'
import { targetsAt, type Endpoint } from './endpoints.js'
import type { GeneratorCalls } from './generator/main.js'
import type { PusherCalls } from './pusher/main.js'
import type { SinkCalls } from './sink/main.js'

export interface Target {
  readonly helper: Helper<SinkCalls>
  /** Its addresses, as many as are asked for. */
  readonly endpoints: (count: number) => readonly Endpoint[]
}

export interface Lab {
  readonly cores: Cores
  readonly generator: Helper<GeneratorCalls>
  readonly pusher: Helper<PusherCalls>
  /** Counts what comes. */
  readonly sink: Target
  /** Counts what comes and sends it back. */
  readonly echo: Target
  readonly close: () => Promise<void>
}

export async function openLab (): Promise<Lab> {
  const cores = chooseCores()
  const generator = openHelper<GeneratorCalls>(new URL('generator/main.js', import.meta.url), cores.generator)
  const pusher = openHelper<PusherCalls>(new URL('pusher/main.js', import.meta.url), cores.sink)
  const sinks = [false, true].map(() => openHelper<SinkCalls>(new URL('sink/main.js', import.meta.url), cores.sink))
  const helpers = [generator, pusher, ...sinks]
  const close = async (): Promise<void> => { await Promise.all(helpers.map(async helper => { await helper.close() })) }
  try {
    const [sink, echo] = await Promise.all(sinks.map(async (helper, index): Promise<Target> => {
      const { port } = await helper.call('open', { echo: index === 1 })
      return { helper, endpoints: count => targetsAt(count, port) }
    })) as [Target, Target]
    return { cores, generator, pusher, sink, echo, close }
  } catch (error) {
    await close()
    throw error
  }
}
