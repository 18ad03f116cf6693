// The proxy process: environment, configuration, signals and exit codes. Everything else is in proxy.ts.
import { readStartUp } from '#config/load/start-up.js'
import { seconds } from '#core/durations.js'
import { ExitCode } from '#core/exit-code.js'
import { endWithParent } from '#telemetry/end-with-parent.js'
import { writeError } from '#telemetry/log-lines/write-error.js'
import { createLogger, flushLogs, lineLimits, terminalStream } from '#telemetry/logger.js'
import { usageFor } from '#telemetry/process-arguments.js'
import { stopOnSignal } from '#telemetry/stop-on-signal.js'
import { NoLibc } from './engines/batch/system/libc.js'
import { BindError } from './engines/engine.js'
import type { Proxy } from './proxy.js'
import { SocketPathError } from './unix-sockets/unix-socket.js'
import { StateClaimedError } from './state/state-claim.js'

const usage = usageFor('proxy', process.argv.slice(2))
if (usage !== undefined) {
  const stream = usage.exitCode === ExitCode.ok ? process.stdout : process.stderr
  stream.write(usage.text)
  process.exit(usage.exitCode)
}
endWithParent()

const startUp = readStartUp()
if (!startUp.ok) {
  writeError(`${startUp.error}\n`)
  process.exit(ExitCode.config)
}
// Most of what there is to load comes after the configuration was found sound: its faults are told at once.
const [{ openProxy }, { systemPlatform }] = await Promise.all([import('./proxy.js'), import('./platform.js')])
const { config, environment: { logLevel, socketPath, statePath } } = startUp.value
const log = createLogger({ name: 'proxy', level: logLevel, destination: await terminalStream(), limits: lineLimits(config.limits) })

function exitAsBug (error: unknown): void {
  log.fatal({ err: error }, 'Unexpected error')
  void flushLogs().then(() => { process.exit(ExitCode.bug) })
}
process.on('uncaughtException', exitAsBug)
process.on('unhandledRejection', exitAsBug)

async function open (): Promise<Proxy> {
  try {
    return await openProxy({ config, log, platform: systemPlatform({ socketPath, statePath }) })
  } catch (error) {
    if (!(error instanceof BindError || error instanceof SocketPathError || error instanceof StateClaimedError || error instanceof NoLibc)) throw error
    writeError(`${sentenceFor(error)}\n`)
    process.exit(ExitCode.config)
  }
}

function sentenceFor (error: BindError | SocketPathError | StateClaimedError | NoLibc): string {
  if (error instanceof NoLibc) return `engine: batch cannot run here, because ${error.message}; auto takes dgram then.`
  if (!(error instanceof BindError)) return `${error.message}.`
  if (error.code === 'EADDRINUSE') return `${error.message}: end what has it, or choose another port under dataPorts.`
  if (error.code === 'EACCES') return `${error.message}: ports below 1024 need a privilege, CAP_NET_BIND_SERVICE.`
  return `${error.message}.`
}

const proxy = await open()
for (const { name, address, port, receiveBufferBytes } of proxy.dataPorts) {
  log.info({ dataPort: name, address, port, receiveBufferBytes, askedBytes: config.limits.receiveBufferBytes }, 'Data port bound')
}
log.info({
  instanceId: proxy.instanceId,
  engine: proxy.engine,
  workers: proxy.workers,
  socket: socketPath,
  dataPorts: Object.fromEntries(proxy.dataPorts.map(({ name, port }) => [name, port]))
}, 'Proxy listening')

stopOnSignal({
  process: 'proxy',
  drainMs: seconds(config.drainTimeoutSeconds),
  log,
  endNow: () => { process.exit(ExitCode.failed) },
  stop: async signal => {
    log.info({ signal, sessions: await proxy.sessions() }, 'Proxy stopping')
    await proxy.drain()
    await proxy.close()
    log.info('Proxy stopped')
  }
})
