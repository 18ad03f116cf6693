// A director as people run it: `udp-director serve`, which keeps control and proxy running.
import { openFolder, type Folder } from '../folder.js'
import { startCommand, type LogLine, type NodeProgram } from '../processes/node-program.js'
import { configText, type ConfigOptions } from './config-text.js'
import { Director } from './director.js'
import { openedOrClosed } from './driven.js'

export type ProcessName = 'control' | 'proxy'

export interface ServeOptions extends ConfigOptions {
  /** Files of the inventory, by name. */
  readonly inventory?: Readonly<Record<string, string>>
  /** Default: `info`. */
  readonly logLevel?: string
  /** A command, with its arguments, that becomes the director: `nsenter`. */
  readonly prefix?: readonly string[]
  /** The address that its APIs are asked at; default: 127.0.0.1. */
  readonly host?: string
}

export class Serve extends Director {
  /** The supervisor. Lines of control and proxy are among its own. */
  readonly process: NodeProgram
  protected override readonly host: string

  static async open (options: ServeOptions = {}): Promise<Serve> {
    const serve = Serve.start(options)
    return await openedOrClosed(serve, async () => { await serve.ready() })
  }

  /** The same without waiting until it is ready. */
  static start (options: ServeOptions = {}): Serve {
    return new Serve(openFolder(), options)
  }

  private constructor (folder: Folder, { inventory = {}, logLevel = 'info', prefix = [], host = '127.0.0.1', ...options }: ServeOptions) {
    folder.makeFolder('inventory')
    for (const [name, text] of Object.entries(inventory)) folder.write(`inventory/${name}`, text)
    // What it needs on disk besides is in there too, also if it is killed.
    super(folder, configText(options), { LOG_LEVEL: logLevel, TMPDIR: folder.path })
    this.host = host
    this.process = startCommand(['serve'], { env: this.env, prefix })
  }

  get dataPorts (): Readonly<Record<string, number>> {
    return this.last('Proxy listening')['dataPorts'] as Record<string, number>
  }

  get queryPort (): number {
    return this.last('Control listening')['queryPort'] as number
  }

  get adminPort (): number {
    return this.last('Control listening')['adminPort'] as number
  }

  /** Resolves when both processes run and control is synchronised with the proxy. */
  async ready (pollMs?: number): Promise<void> {
    await this.started(async () => await this.isReady(), pollMs === undefined ? {} : { pollMs })
  }

  pid (name: ProcessName): number {
    return this.last('Process started', { child: name })['pid'] as number
  }

  /** How often a process has been started so far. */
  starts (name: ProcessName): number {
    return this.last('Process started', { child: name })['starts'] as number
  }

  /** Kills these with SIGKILL. */
  kill (...names: readonly ProcessName[]): void {
    for (const pid of names.map(name => this.pid(name))) process.kill(pid, 'SIGKILL')
  }

  /** Its lines with this message and these fields. */
  lines (msg: string, fields: Readonly<Record<string, unknown>> = {}): readonly LogLine[] {
    return this.process.log.filter(line => line.msg === msg && Object.entries(fields).every(([name, value]) => line[name] === value))
  }

  /** The last of them; throws if there is none. */
  last (msg: string, fields: Readonly<Record<string, unknown>> = {}): LogLine {
    const line = this.lines(msg, fields).at(-1)
    if (line === undefined) throw new Error(`"${msg}" has not been said yet`)
    return line
  }

  async close (): Promise<void> {
    await this.rpc.close()
    // The second one asks it not to wait for sessions.
    for (const signal of ['SIGTERM', 'SIGINT'] as const) this.process.kill(signal)
    await this.process.end()
    this.files.close()
  }

  protected processes (): readonly NodeProgram[] {
    return [this.process]
  }
}
