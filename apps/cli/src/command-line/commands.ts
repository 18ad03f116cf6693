// Every command and option, once: the parser and the help derive from this table.

export interface OptionRow {
  /** What stands for the value in the help; left out for a switch. */
  readonly value?: string
  readonly isRepeatable?: boolean
  readonly help: string
}

export interface CommandRow {
  readonly summary: string
  /** More about it, a paragraph each. */
  readonly about: readonly string[]
  readonly options: Readonly<Record<string, OptionRow>>
  readonly examples: readonly string[]
}

const configOption: OptionRow = { value: 'FILE', help: 'The configuration. Default: $CONFIG_PATH, or /etc/udp-director/config.yaml.' }

const variablesNote = 'LOG_LEVEL (error, warn, info, debug, trace) and UDP_DIRECTOR_SOCKET are read from the environment.'

/** Highest `--port-offset`, so that every shifted port is still one. */
export const MAX_PORT_OFFSET = 40_000

export const commands = {
  up: {
    summary: 'Run a demo: a director and three small game servers, on this machine.',
    about: [
      'Starts three UDP servers that answer with their own name, a director that knows them, ' +
        'and prints lines to paste into another terminal. Shows live what happens until Ctrl-C.',
      'HTTP is on 9000 (queries) and 9090 (admin), UDP on 7777, all on 127.0.0.1.'
    ],
    options: {
      once: { help: 'Go through the whole flow without you, check every step, and exit 0 or 1. Uses free ports.' },
      'port-offset': { value: 'N', help: `Add N (0 to ${MAX_PORT_OFFSET}) to every port.` }
    },
    examples: ['udp-director up', 'udp-director up --port-offset 100', 'udp-director up --once']
  },
  serve: {
    summary: 'Run control and proxy together; one that dies is started again.',
    about: [
      'What a machine without Kubernetes runs. SIGTERM and Ctrl-C stop both, control first.',
      variablesNote
    ],
    options: { config: configOption },
    examples: ['udp-director serve --config config.yaml', 'CONFIG_PATH=config.yaml LOG_LEVEL=debug udp-director serve']
  },
  control: {
    summary: 'Run the control process alone: queries, tokens, inventory.',
    about: ['Signals and the exit code are passed through.', variablesNote],
    options: { config: configOption },
    examples: ['UDP_DIRECTOR_SOCKET=/tmp/proxy.sock udp-director control --config config.yaml']
  },
  proxy: {
    summary: 'Run the proxy process alone: sessions and datagrams.',
    about: ['Signals and the exit code are passed through.', variablesNote],
    options: { config: configOption },
    examples: ['UDP_DIRECTOR_SOCKET=/tmp/proxy.sock udp-director proxy --config config.yaml']
  },
  query: {
    summary: 'Ask a director for a game server; prints the token, and nothing else, on stdout.',
    about: [
      'Without a token the reason is on stderr, or on stdout as JSON with --json.',
      'Exit codes: 0 a token; 3 nothing matches or has a free place; 77 refused; 75 refused for now, try again; ' +
        '69 no director answered; 64 a mistake on the command line; 78 the key file cannot be used.'
    ],
    options: {
      url: { value: 'URL', help: 'Where the query API is. Default: http://127.0.0.1:9000' },
      type: { value: 'TYPE', help: 'The resource type: a key of resourceQueryMapping. Required.' },
      namespace: { value: 'NAME', help: 'The namespace to look in. Required.' },
      label: { value: 'KEY=VALUE', isRepeatable: true, help: 'A label the object must have. May be given several times.' },
      annotation: { value: 'KEY=VALUE', isRepeatable: true, help: 'An annotation the object must have. May be given several times.' },
      status: { value: 'PATH=VALUE', isRepeatable: true, help: 'A field, by JSONPath, and its value. The same PATH again allows another value.' },
      'key-file': { value: 'FILE', help: 'A file whose first line is a key, `name: key` or a signed token; # starts a comment.' },
      json: { help: 'Print the whole answer as JSON instead, a failure too.' }
    },
    examples: [
      'udp-director query --type gameserver --namespace games --label map=de_dust2 --status status.state=Allocated',
      'TOKEN=$(udp-director query --url http://director:9000 --type gameserver --namespace games)'
    ]
  }
} as const satisfies Record<string, CommandRow>

export type CommandName = keyof typeof commands

export const commandNames = Object.keys(commands) as readonly CommandName[]

export function isCommandName (text: string): text is CommandName {
  return Object.hasOwn(commands, text)
}
