// Chooses the engine and opens the shards that go with it.
import { BindError } from '../engines/engine.js'
import type { OpenedShards, OpenShardsOptions } from './engine-kind.js'
import { engineKinds } from './engine-kinds.js'

/**
 * Binds the data ports. Throws BindError, with nothing left open, and what is in the way if the configuration insists on
 * an engine that this system does not have.
 */
export async function openShards (options: OpenShardsOptions): Promise<OpenedShards> {
  const { config, former } = options
  const sameAgain = config.dataPorts.map(({ name, port, ...rest }) => ({ ...rest, name, port: port === 0 ? former?.saved.dataPorts.get(name) ?? 0 : port }))
  try {
    return await openOn({ ...options, config: { ...config, dataPorts: sameAgain } })
  } catch (error) {
    // A port that the system chose once may be somebody else's by now.
    if (error instanceof BindError && error.dataPort.port !== config.dataPorts.find(({ name }) => name === error.dataPort.name)?.port) return await openOn(options)
    throw error
  }
}

async function openOn (options: OpenShardsOptions): Promise<OpenedShards> {
  const { config: { engine }, voice } = options
  const kinds = engineKinds.filter(({ name }) => engine === 'auto' || engine === name)
  for (const [index, { find }] of kinds.entries()) {
    const found = await find(options)
    if (found.ok) return await found.value()
    const next = kinds[index + 1]
    if (next === undefined) throw found.error
    voice.log('warn', { reason: found.error.message, engine: next.name }, 'Engine is not available, using another one')
  }
  throw new Error(`there is no engine ${engine}`)
}
