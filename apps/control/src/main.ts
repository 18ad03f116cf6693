// The control process: environment, configuration, signals and exit codes. Everything else is in control.ts.
import closeWithGrace from 'close-with-grace'
import { readEnvironment } from '#config/env.js'
import { formatFaults, type ConfigFault } from '#config/fault.js'
import { loadConfig } from '#config/load-config.js'
import { ExitCode } from '#core/exit-code.js'
import { systemClock } from '#core/system-clock.js'
import { createLogger } from '#telemetry/logger.js'
import { openControl } from './control.js'

// How long requests under way may take to finish after SIGTERM, in milliseconds.
const CLOSE_DEADLINE_MS = 10_000

function exitWithFaults (source: string, faults: readonly ConfigFault[]): never {
  process.stderr.write(`${formatFaults(source, faults)}\n`)
  process.exit(ExitCode.config)
}

const environment = readEnvironment()
if (!environment.ok) exitWithFaults('The environment', environment.error)
const { configPath, logLevel, socketPath } = environment.value
const loaded = loadConfig(configPath)
if (!loaded.ok) exitWithFaults(configPath, loaded.error)

const log = createLogger({ name: 'control', level: logLevel })

function exitAsBug (error: unknown): never {
  log.fatal({ err: error }, 'Unexpected error')
  process.exit(ExitCode.bug)
}
process.on('uncaughtException', exitAsBug)
process.on('unhandledRejection', exitAsBug)

const control = await openControl({
  config: loaded.value.config,
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
})
