// The control process: environment, configuration, signals and exit codes. Everything else is in control.ts.
import { readStartUp } from '#config/load/start-up.js'
import { seconds } from '#core/durations.js'
import { ExitCode } from '#core/exit-code.js'
import { systemClock } from '#core/system-clock.js'
import { endWithParent } from '#telemetry/end-with-parent.js'
import { writeError } from '#telemetry/log-lines/write-error.js'
import { createLogger, flushLogs, lineLimits, terminalStream } from '#telemetry/logger.js'
import { usageFor } from '#telemetry/process-arguments.js'
import { stopOnSignal } from '#telemetry/stop-on-signal.js'

const usage = usageFor('control', process.argv.slice(2))
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
const [{ openControl }, { machinePlatform }] = await Promise.all([import('./control.js'), import('./platform.js')])
const { config, environment: { logLevel, socketPath } } = startUp.value
const log = createLogger({ name: 'control', level: logLevel, destination: await terminalStream(), limits: lineLimits(config.limits) })

function exitAsBug (error: unknown): void {
  log.fatal({ err: error }, 'Unexpected error')
  void flushLogs().then(() => { process.exit(ExitCode.bug) })
}
process.on('uncaughtException', exitAsBug)
process.on('unhandledRejection', exitAsBug)

const control = await openControl({
  config,
  platform: machinePlatform({ socketPath, clock: systemClock, random: Math.random }),
  log
})
if (!control.ok) {
  writeError(`${control.error}\n`)
  process.exit(ExitCode.config)
}

stopOnSignal({
  process: 'control',
  drainMs: seconds(config.drainTimeoutSeconds),
  log,
  endNow: () => { process.exit(ExitCode.failed) },
  stop: async signal => {
    log.info({ signal }, 'Control stopping')
    await control.value.drain()
    await control.value.close()
    log.info('Control stopped')
  }
})
