// Compiled programs of ours: how they are started, their log lines, their end.
import { join } from 'node:path'
import { END_WITH_PARENT } from '#telemetry/end-with-parent.js'
import { patiently } from '../patience.js'
import { startChild, type Child, type ChildOptions } from './child.js'

/** The repository's root: this file runs as dist/testkit/processes/node-program.js. */
export const root = join(import.meta.dirname, '../../..')

/** What can be started, by its name. */
export const programs = {
  cli: join(root, 'dist/apps/cli/src/main.js'),
  control: join(root, 'dist/apps/control/src/main.js'),
  proxy: join(root, 'dist/apps/proxy/src/main.js')
} as const

export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string, readonly level: string }

export interface NodeProgram extends Child {
  /** JSON lines of stdout so far. */
  readonly log: readonly LogLine[]
  /** Everything on stderr so far. */
  readonly stderr: () => string
  /** The first line, past or coming, with this message. Rejects when the process ends first or it never comes. */
  readonly line: (msg: string) => Promise<LogLine>
}

export interface NodeOptions extends Pick<ChildOptions, 'cwd' | 'uid' | 'gid'> {
  readonly env: Readonly<NodeJS.ProcessEnv>
  /** The process gets no more file descriptors than this. */
  readonly maxOpenFiles?: number
  /** A command, with its arguments, that becomes the program: `taskset`, `nice`, `nsenter`. */
  readonly prefix?: readonly string[]
  /** For Node itself. */
  readonly nodeArguments?: readonly string[]
  /** For the script. */
  readonly scriptArguments?: readonly string[]
}

/** Starts control or proxy; the build must be up to date (npm's commands see to that). It ends with us, whatever ends that. */
export function startApp (app: 'control' | 'proxy', env: Readonly<NodeJS.ProcessEnv>, options: Omit<NodeOptions, 'env' | 'scriptArguments'> = {}): NodeProgram {
  return startNode(app, programs[app], { env, ...options, scriptArguments: [END_WITH_PARENT] })
}

/** Starts the command `udp-director`. It ends with us, whatever ends that. */
export function startCommand (args: readonly string[], options: NodeOptions): NodeProgram {
  return startNode(args[0] ?? 'udp-director', programs.cli, { ...options, scriptArguments: [...args, END_WITH_PARENT] })
}

/** Runs the file `script` with Node; `name` is what messages call it. */
export function startNode (name: string, script: string, { maxOpenFiles, prefix = [], nodeArguments = [], scriptArguments = [], ...options }: NodeOptions): NodeProgram {
  const log: LogLine[] = []
  const watchers = new Set<() => void>()
  let [begun, stderr] = ['', '']
  const [command = '', ...args] = commandOf([...prefix, ...withoutLoader, ...nodeArguments, script, ...scriptArguments], maxOpenFiles)
  const child = startChild(name, command, args, {
    ...options,
    streams: 'held',
    stdout: text => {
      const lines = (begun + text).split('\n')
      begun = lines.pop()!
      log.push(...lines.map(line => JSON.parse(line) as LogLine))
      for (const watcher of watchers) watcher()
    },
    stderr: text => { stderr += text }
  })
  const soFar = (): string => `${stderr}${log.map(item => JSON.stringify(item)).join('\n')}`
  const line = async (msg: string): Promise<LogLine> => {
    let look: (() => void) | undefined
    const said = new Promise<LogLine>((resolve, reject) => {
      look = () => {
        const found = log.find(candidate => candidate.msg === msg)
        if (found !== undefined) resolve(found)
      }
      watchers.add(look)
      look()
      void child.ended.then(end => { reject(new Error(`${name}: no "${msg}": it ended with ${end}\n${soFar()}`)) })
    })
    return await patiently(said, () => `"${msg}" of ${name}\n${soFar()}`).finally(() => { watchers.delete(look!) })
  }
  return { ...child, log, stderr: () => stderr, line }
}

// The test runner puts its module loader into the NODE_OPTIONS of every child: twice the start-up time, and not what users
// run. env(1) takes it out again and becomes the process, so the id is that of the program.
const withoutLoader = ['/usr/bin/env', '-u', 'NODE_OPTIONS', process.execPath]

function commandOf (words: readonly string[], maxOpenFiles: number | undefined): readonly string[] {
  return maxOpenFiles === undefined ? words : ['/bin/sh', '-c', `ulimit -n ${maxOpenFiles} && exec "$@"`, 'sh', ...words]
}
