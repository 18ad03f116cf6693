#!/usr/bin/env node
// The command `udp-director`: the real world for the commands, their choice, and the exit code.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { ExitCode } from '#core/exit-code.js'
import { systemClock } from '#core/system-clock.js'
import { END_WITH_PARENT, endWithParent } from '#telemetry/end-with-parent.js'
import { createStyle } from '#telemetry/log-lines/style.js'
import { writeError } from '#telemetry/log-lines/write-error.js'
import { hasTerminal, takenSignals } from '#telemetry/stop-requests.js'
import { commandHelp, overview } from './command-line/help.js'
import { parseCommandLine, type Invocation } from './command-line/parse-command-line.js'
import { query } from './commands/query.js'
import { runOne } from './commands/run-one.js'
import { serve } from './commands/serve.js'
import { up } from './commands/up.js'
import { spawnChild } from './processes/spawn-child.js'
import type { Runtime } from './runtime/runtime.js'

endWithParent()

const { stdout, stderr } = process
let isReaderGone = false

const runtime: Runtime = {
  clock: systemClock,
  spawn: spawnChild,
  out: text => isReaderGone || stdout.write(text) ? undefined : once(stdout, 'drain').then(() => {}, () => {}),
  err: text => { writeError(text) },
  isTerminal: stdout.isTTY,
  columns: () => stdout.isTTY ? stdout.columns : undefined,
  hasTerminal: hasTerminal(),
  style: createStyle(stdout.isTTY && stdout.hasColors()),
  onSignal: handle => { for (const signal of takenSignals) process.on(signal, () => { handle(signal) }) },
  atExit: run => { process.on('exit', run) }
}

// A reader that went away (`udp-director up | head`) is not a bug: end, and take the children along (see atExit). EIO is a
// terminal that was closed: SIGHUP comes with it, and the command goes on to stop, without output.
stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  isReaderGone = true
  if (code !== 'EIO') process.exit(ExitCode.failed)
})
stderr.on('error', () => {})

process.on('uncaughtException', error => {
  runtime.err(`${error.stack ?? String(error)}\n`)
  process.exit(ExitCode.bug)
})

// The clock's timers do not keep a process alive, and between the death of a child and its restart there may be nothing
// else that does.
const keepAlive = setInterval(() => {}, 2 ** 30)

async function run (invocation: Invocation): Promise<number> {
  switch (invocation.command) {
    case 'help': return print(invocation.topic === undefined ? overview() : commandHelp(invocation.topic))
    case 'version': return print(`${version()}\n`)
    case 'up': return await up(invocation, runtime)
    case 'serve': return await serve(invocation, runtime)
    case 'query': return await query(invocation, runtime)
    case 'control': case 'proxy': return await runOne(invocation.command, invocation, runtime)
  }
}

function print (text: string): number {
  void runtime.out(text)
  return ExitCode.ok
}

// The same path leads to the package from the sources and from dist.
function version (): string {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string }
  return version
}

const parsed = parseCommandLine(process.argv.slice(2).filter(argument => argument !== END_WITH_PARENT))
if (parsed.ok) {
  process.exitCode = await run(parsed.value)
} else {
  const { message, topic } = parsed.error
  runtime.err(`${message}\nSee: udp-director ${topic === undefined ? '' : `${topic} `}--help\n`)
  process.exitCode = ExitCode.usage
}
clearInterval(keepAlive)
