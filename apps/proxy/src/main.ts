// The proxy process: environment, configuration, signals and exit codes. Everything else is in proxy.ts.
import { randomInt } from 'node:crypto'
import closeWithGrace from 'close-with-grace'
import { readEnvironment } from '#config/env.js'
import { formatFaults, type ConfigFault } from '#config/fault.js'
import { loadConfig } from '#config/load-config.js'
import { ExitCode } from '#core/exit-code.js'
import { systemClock } from '#core/system-clock.js'
import { createLogger } from '#telemetry/logger.js'
import { processSamples } from '#telemetry/process-samples.js'
import { BindError } from './engines/engine.js'
import { openProxy, type Proxy } from './proxy.js'
import { SocketPathError } from './rpc/unix-socket.js'

function exitWithFaults (source: string, faults: readonly ConfigFault[]): never {
  process.stderr.write(`${formatFaults(source, faults)}\n`)
  process.exit(ExitCode.config)
}

const environment = readEnvironment()
if (!environment.ok) exitWithFaults('The environment', environment.error)
const { configPath, logLevel, socketPath } = environment.value
const loaded = loadConfig(configPath)
if (!loaded.ok) exitWithFaults(configPath, loaded.error)
const { config } = loaded.value
const log = createLogger({ name: 'proxy', level: logLevel })

// Seeds the tables' hashes, which nobody may guess.
const random = (): number => randomInt(0x1_0000_0000) / 0x1_0000_0000

let proxy: Proxy
try {
  proxy = await openProxy({ config, log, clock: systemClock, socketPath, random, processSamples: () => processSamples('proxy') })
} catch (error) {
  if (error instanceof BindError || error instanceof SocketPathError) {
    log.fatal(hintFor(error))
    process.exit(ExitCode.config)
  }
  throw error
}

closeWithGrace({ delay: 5000 }, async ({ err, signal }) => {
  if (err === undefined) log.info({ signal, sessions: proxy.core.state.sessions.size }, 'Proxy stopping')
  else log.fatal({ err }, 'Unexpected error')
  await proxy.close()
  if (err !== undefined) process.exit(ExitCode.bug)
})

for (const { name, address, port, receiveBufferBytes } of proxy.engine.dataPorts) {
  log.info({ dataPort: name, address, port, receiveBufferBytes, askedBytes: config.limits.receiveBufferBytes }, 'Data port bound')
}
log.info({
  instanceId: proxy.instanceId,
  engine: proxy.engine.name,
  socket: socketPath,
  dataPorts: Object.fromEntries(proxy.engine.dataPorts.map(({ name, port }) => [name, port]))
}, 'Proxy listening')

function hintFor (error: BindError | SocketPathError): string {
  if (!(error instanceof BindError)) return error.message
  if (error.code === 'EADDRINUSE') return `${error.message}: another process has it. Choose another port under dataPorts, or stop that process`
  if (error.code === 'EACCES') return `${error.message}: ports below 1024 need a privilege (CAP_NET_BIND_SERVICE)`
  return error.message
}
