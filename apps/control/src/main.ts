// The control process: environment, configuration, signals and exit codes. Everything else is in control.ts.
import closeWithGrace from 'close-with-grace'
import { readStartUp } from '#config/start-up.js'
import { ExitCode } from '#core/exit-code.js'
import { systemClock } from '#core/system-clock.js'
import { createLogger, flushLogs } from '#telemetry/logger.js'

// How long requests under way may take to finish after SIGTERM, in milliseconds.
const CLOSE_DEADLINE_MS = 10_000

const startUp = readStartUp()
if (!startUp.ok) {
  process.stderr.write(`${startUp.error}\n`)
  process.exit(ExitCode.config)
}
// Most of what there is to load comes after the configuration was found sound: its faults are told at once.
const { openControl } = await import('./control.js')
const { config, environment: { logLevel, socketPath } } = startUp.value
const log = createLogger({ name: 'control', level: logLevel })

function exitAsBug (error: unknown): void {
  log.fatal({ err: error }, 'Unexpected error')
  void flushLogs().then(() => { process.exit(ExitCode.bug) })
}
process.on('uncaughtException', exitAsBug)
process.on('unhandledRejection', exitAsBug)

const control = await openControl({
  config,
  socketPath,
  clock: systemClock,
  random: Math.random,
  log
})
if (!control.ok) {
  process.stderr.write(`${control.error}\n`)
  process.exit(ExitCode.config)
}

closeWithGrace({ delay: CLOSE_DEADLINE_MS, logger: false, skip: ['uncaughtException', 'unhandledRejection', 'beforeExit'] }, async ({ signal }) => {
  log.info({ signal }, 'Control stopping')
  await control.value.close()
  log.info('Control stopped')
  await flushLogs()
})
