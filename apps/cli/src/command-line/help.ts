// The help, made from the table of commands.
import { foldPieces } from '#core/fold-text.js'
import { commandNames, commands, type CommandName, type CommandRow, type OptionRow } from './commands.js'

const helpOption: OptionRow = { help: 'Show this.' }

/** The usual width of a terminal: no line is longer. */
const COLUMNS = 80

/** What `udp-director --help` shows. */
export function overview (): string {
  const width = Math.max(...commandNames.map(name => name.length))
  return [
    ...paragraph('UDP Director: ask for a game server, get a token, send it over UDP; move live sessions.'),
    '',
    'Usage: udp-director COMMAND [OPTIONS]',
    '',
    'Commands:',
    ...commandNames.flatMap(name => row(name, width, commands[name].summary)),
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
    ...[summary, ...about].flatMap(paragraph),
    '',
    'Options:',
    ...rows.flatMap(([text, help]) => row(text, width, help)),
    '',
    'Examples:',
    ...examples.map(exampleText),
    ''
  ].join('\n')
}

function row (name: string, width: number, text: string): string[] {
  const indent = width + 4 // two columns before the name, two after it
  return foldPieces(text.split(' '), COLUMNS - indent).map((line, at) => `${at === 0 ? `  ${name.padEnd(width)}  ` : ' '.repeat(indent)}${line}`)
}

function paragraph (text: string): string[] {
  return foldPieces(text.split(' '), COLUMNS)
}

// A shell reads it as one line.
function exampleText (example: string): string {
  return `  ${foldPieces(example.split(/ (?=--)/), COLUMNS - '      '.length - ' \\'.length).join(' \\\n      ')}`
}

function optionText (name: string, { value }: OptionRow): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`
}
