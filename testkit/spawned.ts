// A compiled process of ours, spawned for a test: its JSON log lines, its end, its signals.
import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { END_WITH_PARENT } from '#telemetry/end-with-parent.js'
import { PATIENCE_MS } from './patience.js'

export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string, readonly level: string }

export interface Spawned {
  readonly pid: number
  /** JSON lines of stdout so far. */
  readonly log: readonly LogLine[]
  /** Everything on stderr so far. */
  readonly stderr: () => string
  /** The first line, past or coming, with this message. Rejects when the process ends first or it never comes. */
  readonly line: (msg: string) => Promise<LogLine>
  /** Exit code, or the signal's name. */
  readonly ended: Promise<number | NodeJS.Signals>
  readonly kill: (signal: NodeJS.Signals) => void
}

export interface SpawnOptions {
  readonly env: Readonly<Record<string, string>>
  readonly cwd?: string
  /** User and group, by number; only root may choose. */
  readonly uid?: number
  readonly gid?: number
  /** The process gets no more file descriptors than this. */
  readonly maxOpenFiles?: number
  /** For Node itself. */
  readonly nodeArguments?: readonly string[]
  /** For the script. */
  readonly scriptArguments?: readonly string[]
}

/**
 * It ends with the test, whatever ends that, unless it `isAlone`: as in a container, where nobody holds its stdin.
 *
 * @param app `control` or `proxy`; the build must be up to date (`npm test` sees to that)
 */
export function spawnApp (app: 'control' | 'proxy', env: Readonly<Record<string, string>>, { isAlone = false, ...options }: Pick<SpawnOptions, 'maxOpenFiles' | 'nodeArguments'> & { readonly isAlone?: boolean } = {}): Spawned {
  return spawnNode(app, join('dist/apps', app, 'src/main.js'), { env, scriptArguments: isAlone ? [] : [END_WITH_PARENT], ...options })
}

/** Runs the file `script` with Node; `app` is what messages call it. */
export function spawnNode (app: string, script: string, { maxOpenFiles, nodeArguments = [], scriptArguments = [], ...options }: SpawnOptions): Spawned {
  // The test runner puts its module loader into the NODE_OPTIONS of every child: twice the start-up time, and not what
  // users run. env(1) takes it out again and becomes the process, so the pid is the app's.
  const command = ['/usr/bin/env', '-u', 'NODE_OPTIONS', process.execPath, ...nodeArguments, script, ...scriptArguments]
  const limited = maxOpenFiles === undefined ? command : ['/bin/sh', '-c', `ulimit -n ${maxOpenFiles} && exec "$@"`, 'sh', ...command]
  const child: ChildProcess = spawn(limited[0]!, limited.slice(1), { ...options, env: { ...options.env }, stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin!.on('error', () => {}) // EPIPE: it has ended
  const log: LogLine[] = []
  const watchers = new Set<() => void>()
  let stderr = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => { stderr += text })
  createInterface({ input: child.stdout! }).on('line', text => {
    log.push(JSON.parse(text) as LogLine)
    for (const watcher of watchers) watcher()
  })
  const ended = new Promise<number | NodeJS.Signals>(resolve => {
    child.once('close', (code, signal) => { resolve(code ?? signal!) })
  })
  const line = async (msg: string): Promise<LogLine> => await new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      clearTimeout(timer)
      watchers.delete(look)
      finish()
    }
    const look = (): void => {
      const found = log.find(candidate => candidate.msg === msg)
      if (found !== undefined) settle(() => { resolve(found) })
    }
    const fail = (why: string): void => { settle(() => { reject(new Error(`${app}: no "${msg}": ${why}\n${stderr}${log.map(item => JSON.stringify(item)).join('\n')}`)) }) }
    // eslint-disable-next-line no-restricted-syntax -- the one limit; the log so far goes into the message
    const timer = setTimeout(() => { fail('it never came') }, PATIENCE_MS)
    watchers.add(look)
    look()
    void ended.then(end => { fail(`it ended with ${end}`) })
  })
  return { pid: child.pid!, log, stderr: () => stderr, line, ended, kill: signal => { child.kill(signal) } }
}
