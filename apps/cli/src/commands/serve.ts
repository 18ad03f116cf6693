// `serve`: control and proxy, kept running, until a signal comes.
import { environmentWith, isStatePlaceGiven, readEnvironment, variables } from '#config/env.js'
import { formatFaults } from '#config/fault.js'
import { loadConfig } from '#config/load/load-config.js'
import { ExitCode } from '#core/exit-code.js'
import type { ProcessInvocation } from '../command-line/parse-command-line.js'
import { LogView } from '../output/log-view.js'
import { busyPortsText, findBusyPorts, wantedPorts } from '../ports/busy-ports.js'
import { openPrivateDirectory } from '../private-directory/private-directory.js'
import { openSupervisor } from '../processes/open-supervisor.js'
import { Stopping } from '../processes/stopping.js'
import type { Runtime } from '../runtime/runtime.js'

/** Runs until a signal comes, a second one ends it at once with 1; ends with 78 if a port is taken or a process refuses the configuration when it first starts. */
export async function serve ({ config }: Pick<ProcessInvocation, 'config'>, runtime: Runtime): Promise<ExitCode> {
  const environment = readEnvironment()
  if (!environment.ok) return refuse('The environment', environment.error, runtime)
  const configPath = config ?? environment.value.configPath
  // Both processes would list the same faults; here they are listed once.
  const loaded = loadConfig(configPath)
  if (!loaded.ok) {
    refuse(configPath, loaded.error, runtime)
    if (config === undefined) runtime.err('Another file is named with --config FILE, or by CONFIG_PATH.\n')
    return ExitCode.config
  }
  const { config: settings } = loaded.value
  // The processes find out what else keeps them from listening: IPv6 may be off, a port may need a privilege.
  const taken = (await findBusyPorts(wantedPorts(settings))).filter(({ code }) => code === 'EADDRINUSE')
  if (taken.length > 0) {
    runtime.err(`${busyPortsText(taken)}End what listens there, or choose others in ${configPath}: ${taken.map(({ key }) => key).join(', ')}.\n`)
    return ExitCode.config
  }
  const view = new LogView(runtime)
  view.open()
  const directory = openPrivateDirectory()
  runtime.atExit(directory.close)
  const stopping = new Stopping(runtime)
  const socketPath = environmentWith({})[variables.socketPath] || directory.socketPath
  const state = isStatePlaceGiven() ? {} : { statePath: directory.statePath }
  const { drainTimeoutSeconds } = settings
  const supervisor = openSupervisor({ logLevel: environment.value.logLevel, configPath, socketPath, drainTimeoutSeconds, ...state }, runtime, stopping, view.take)
  supervisor.start()
  const outcome = await Promise.race([stopping.asked, supervisor.refused])
  // Not waited for: a terminal may have been told to show nothing, or be gone.
  if (outcome === 'stop' && runtime.isTerminal) void runtime.out(stoppingText(drainTimeoutSeconds))
  await supervisor.stop()
  directory.close()
  if (outcome !== 'stop') return ExitCode.config
  return supervisor.isKilled ? ExitCode.failed : ExitCode.ok
}

function stoppingText (drainTimeoutSeconds: number): string {
  if (drainTimeoutSeconds === 0) return '\nStopping.\n'
  return `\nStopping: no new tokens, and at most ${drainTimeoutSeconds} s for the sessions there are.\nCtrl-C once more ends now.\n`
}

function refuse (source: string, faults: Parameters<typeof formatFaults>[1], { err }: Runtime): ExitCode {
  err(`${formatFaults(source, faults)}\n`)
  return ExitCode.config
}
