// The help, made from the table of commands.
import { commandNames, commands, type CommandName, type CommandRow, type OptionRow } from './commands.js'

const helpOption: OptionRow = { help: 'Show this.' }

/** What `udp-director --help` shows. */
export function overview (): string {
  const width = Math.max(...commandNames.map(name => name.length))
  return [
    'UDP Director: ask for a game server, get a token, send it over UDP; move live sessions.',
    '',
    'Usage: udp-director COMMAND [OPTIONS]',
    '',
    'Commands:',
    ...commandNames.map(name => `  ${name.padEnd(width)}  ${commands[name].summary}`),
    '',
    'Options:',
    '  --help     Show this, or the help of a command.',
    '  --version  Show the version.',
    '',
    'Examples:',
    '  udp-director up                    # see it work',
    '  udp-director serve --config FILE   # run it',
    '  udp-director query --help',
    ''
  ].join('\n')
}

/** What `udp-director COMMAND --help` shows. */
export function commandHelp (name: CommandName): string {
  const { summary, about, options, examples }: CommandRow = commands[name]
  const rows = Object.entries({ ...options, help: helpOption }).map(([option, row]) => [optionText(option, row), row.help] as const)
  const width = Math.max(...rows.map(([text]) => text.length))
  return [
    `Usage: udp-director ${name} [OPTIONS]`,
    '',
    summary,
    ...about,
    '',
    'Options:',
    ...rows.map(([text, help]) => `  ${text.padEnd(width)}  ${help}`),
    '',
    'Examples:',
    ...examples.map(example => `  ${example}`),
    ''
  ].join('\n')
}

function optionText (name: string, { value }: OptionRow): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`
}
