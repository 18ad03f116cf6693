// What a process that takes no arguments says to those it is given: everything it wants to know is in its environment.
import { environmentDefaults, placeVariables, variables } from '#config/env.js'
import { ExitCode } from '#core/exit-code.js'
import { END_WITH_PARENT } from './end-with-parent.js'

export interface Usage {
  readonly text: string
  readonly exitCode: ExitCode
}

/** How to start the process `name`, if `args` ask for that or cannot be followed; undefined if it is to run. */
export function usageFor (name: 'control' | 'proxy', args: readonly string[]): Usage | undefined {
  const [first] = args.filter(argument => argument !== END_WITH_PARENT)
  if (first === undefined) return undefined
  if (first === '--help' || first === '-h') return { text: usageText(name), exitCode: ExitCode.ok }
  return { text: `${name} takes no argument ${first}.\n${usageText(name)}`, exitCode: ExitCode.usage }
}

function usageText (name: 'control' | 'proxy'): string {
  const place = name === 'control' ? Object.values(placeVariables) : []
  const width = Math.max(...[...Object.values(variables), ...place].map(variable => variable.length))
  const rows = (Object.keys(variables) as Array<keyof typeof variables>).map(key => `  ${variables[key].padEnd(width)}  default: ${String(environmentDefaults[key])}\n`)
  return `Usage: CONFIG_PATH=config.yaml npm run ${name}\nThere are no arguments. What is read of the environment:\n${[...rows, ...place.map(variable => `  ${variable.padEnd(width)}  see advertise in docs/config.md\n`)].join('')}`
}
