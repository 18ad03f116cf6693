// `up`: the demo, for a person to play with, or by itself with --once.
import { readEnvironment, type LogLevel } from '#config/env.js'
import { formatFaults } from '#config/fault.js'
import { ExitCode } from '#core/exit-code.js'
import type { UpInvocation } from '../command-line/parse-command-line.js'
import { introduction } from '../demo/introduction.js'
import { openDemo, type Demo, type DemoFault } from '../demo/open-demo.js'
import { busyDemoPortsText, findBusyDemoPorts } from '../demo/ports.js'
import { StepReport } from '../demo/step-report.js'
import { walkThrough } from '../demo/walk-through.js'
import { anyPorts, portsFrom } from '../demo/world.js'
import { LogView } from '../output/log-view.js'
import { Stopping } from '../processes/stopping.js'
import type { Runtime } from '../runtime/runtime.js'

/** Runs the demo until a signal comes, or once through. */
export async function up ({ isOnce, portOffset }: UpInvocation, runtime: Runtime): Promise<ExitCode> {
  const environment = readEnvironment()
  if (!environment.ok) {
    runtime.err(`${formatFaults('The environment', environment.error)}\n`)
    return ExitCode.config
  }
  const ports = isOnce && portOffset === undefined ? anyPorts : portsFrom(portOffset ?? 0)
  const busy = await findBusyDemoPorts(ports)
  if (busy.length > 0) {
    runtime.err(busyDemoPortsText(busy, portOffset ?? 0))
    return ExitCode.config
  }
  if (runtime.isTerminal) runtime.err('Starting three game servers, control and proxy …\n')
  const view = new LogView(runtime)
  const stopping = new Stopping(runtime)
  const demo = await openDemo(runtime, { ports, logLevel: levelFor(environment.value.logLevel), onLine: view.take, stopping })
  if (!demo.ok) return explain(demo.error, isOnce, view, runtime)
  try {
    return isOnce ? await once(demo.value, view, stopping.asked, runtime) : await live(demo.value, view, stopping.asked, runtime)
  } finally {
    await demo.value.close()
  }
}

// Whoever wants fewer lines still needs those that say what happens: they are what the demo shows, and where its ports
// are read from.
function levelFor (level: LogLevel): LogLevel {
  return level === 'error' || level === 'warn' ? 'info' : level
}

async function live (demo: Demo, view: LogView, stop: Promise<'stop'>, { out, style, isTerminal }: Runtime): Promise<ExitCode> {
  await out(introduction(demo.ports, demo.servers.map(({ port }) => port), demo.inventoryPath, style))
  view.open()
  await stop
  if (isTerminal) void out('\nStopping.\n')
  return ExitCode.ok
}

async function once (demo: Demo, view: LogView, stop: Promise<'stop'>, runtime: Runtime): Promise<ExitCode> {
  const report = new StepReport(runtime)
  // The report has said what failed; what is left to do with the error is to show what the processes said.
  const done = walkThrough(demo, runtime.clock, report.step).catch(() => { runtime.err(`\nThe log of the director:\n${view.heldText()}`) })
  const isStopped = await Promise.race([done, stop]) === 'stop'
  if (isStopped) return ExitCode.failed
  report.close()
  return report.isGood ? ExitCode.ok : ExitCode.failed
}

function explain (fault: DemoFault, isOnce: boolean, view: LogView, { err }: Runtime): ExitCode {
  if (fault === 'stop') return isOnce ? ExitCode.failed : ExitCode.ok
  err(view.heldText())
  err(fault === 'refused'
    ? 'The director cannot run like this; its log is above. If a port is taken, shift all of them with --port-offset.\n'
    : 'The director did not become ready in time; its log is above.\n')
  return fault === 'refused' ? ExitCode.config : ExitCode.failed
}
