// `npm run simulate`: many worlds, one after the other, until one of them shows a bug.
import { ExitCode } from '#core/exit-code.js'
import { help, readOptions, type SimulationOptions } from './options.js'
import { run, type Outcome } from './run.js'

/** How often the progress line is drawn, in ms. */
const PROGRESS_MS = 200

const options = readOptions(process.argv.slice(2))
if (!options.ok) {
  process.stderr.write(`${options.error}\n`)
  process.exit(ExitCode.usage)
}
if (options.value === undefined) process.stdout.write(`${help}\n`)
else process.exitCode = await simulate(options.value)

async function simulate ({ seed, seeds, steps, plant, shared }: SimulationOptions): Promise<ExitCode> {
  const startedMs = performance.now()
  let drawnMs = startedMs
  let virtualMs = 0
  for (let done = 0; done < seeds; done++) {
    const outcome = await run({ seed: seed + done, steps, plant, shared })
    virtualMs += outcome.virtualMs
    if (outcome.violation !== undefined) {
      clearProgress()
      process.stderr.write(`${failureText(outcome, outcome.violation, { plant, shared })}\n`)
      return ExitCode.failed
    }
    if (process.stderr.isTTY && performance.now() - drawnMs >= PROGRESS_MS) {
      drawnMs = performance.now()
      process.stderr.write(`\r${done + 1} of ${seeds} seeds`)
    }
  }
  clearProgress()
  process.stdout.write(`${summaryOf({ seeds, steps, virtualMs, wallMs: performance.now() - startedMs })}\n`)
  return ExitCode.ok
}

function clearProgress (): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
}

function failureText ({ seed, steps, hash, last }: Outcome, { invariant, fault }: NonNullable<Outcome['violation']>, { plant, shared }: Pick<SimulationOptions, 'plant' | 'shared'>): string {
  const words = `${plant === undefined ? '' : ` --plant ${plant}`}${shared ? ' --shared' : ''}`
  return [
    `Seed ${seed}, step ${steps}: ${invariant} does not hold.`,
    `  ${fault}`,
    '',
    'What happened last:',
    ...last.map(line => `  ${line}`),
    '',
    `Trace ${hash}. To see the same again: npm run simulate -- --seed ${seed} --seeds 1 --steps ${steps}${words}`
  ].join('\n')
}

function summaryOf ({ seeds, steps, virtualMs, wallMs }: { readonly seeds: number, readonly steps: number, readonly virtualMs: number, readonly wallMs: number }): string {
  const { user, system } = process.cpuUsage()
  const cpuSeconds = (user + system) / 1e6
  const all = seeds * steps
  return `${seeds} ${seeds === 1 ? 'seed' : 'seeds'} × ${steps} steps: everything held for ${(virtualMs / 3_600_000).toFixed(1)} virtual hours ` +
    `(${(wallMs / 1000).toFixed(1)} s, ${cpuSeconds.toFixed(1)} s of processor time, ${Math.round(all / cpuSeconds)} steps a second of it)`
}
