// A proxy without control: whoever opened it tells it over RPC what control would.
import type { Hello, Target } from '#rpc/contract.js'
import { openFolder, type Folder } from '../folder.js'
import { startApp, type NodeOptions, type NodeProgram } from '../processes/node-program.js'
import { configText, type ConfigOptions } from './config-text.js'
import { Driven, openedOrClosed } from './driven.js'

export interface ProxyAloneOptions extends ConfigOptions, Pick<NodeOptions, 'maxOpenFiles' | 'prefix'> {
  /** Where clients without a token go; default: nowhere. */
  readonly defaultTargets?: readonly Target[]
  /** Default: `info`. */
  readonly logLevel?: string
}

const POLL_MS = 20

export class ProxyAlone extends Driven {
  readonly process: NodeProgram
  #hello: Hello | undefined

  /** Rejects with NotStarted if the process ends before it answers. */
  static async open ({ defaultTargets = [], ...options }: ProxyAloneOptions = {}): Promise<ProxyAlone> {
    const proxy = new ProxyAlone(openFolder(), options)
    return await openedOrClosed(proxy, async () => { await proxy.#ready(defaultTargets) })
  }

  private constructor (folder: Folder, { logLevel = 'info', maxOpenFiles, prefix, ...options }: Omit<ProxyAloneOptions, 'defaultTargets'>) {
    folder.makeFolder('inventory')
    super(folder, configText(options), { LOG_LEVEL: logLevel })
    this.process = startApp('proxy', this.env, { ...maxOpenFiles === undefined ? {} : { maxOpenFiles }, ...prefix === undefined ? {} : { prefix } })
  }

  /** What it said of itself when it was opened. */
  get hello (): Hello {
    if (this.#hello === undefined) throw new Error('the proxy has not answered yet')
    return this.#hello
  }

  get dataPorts (): Readonly<Record<string, number>> {
    return Object.fromEntries(this.hello.dataPorts.map(({ name, port }) => [name, port]))
  }

  get socketPath (): string {
    return this.env['UDP_DIRECTOR_SOCKET']!
  }

  async close (): Promise<void> {
    await this.rpc.close()
    await this.process.end()
    this.files.close()
  }

  protected processes (): readonly NodeProgram[] {
    return [this.process]
  }

  async #ready (defaultTargets: readonly Target[]): Promise<void> {
    await this.started(async () => {
      const hello = await this.rpc.call('hello', {})
      if (hello.ok) this.#hello = hello.value
      return hello.ok
    }, { pollMs: POLL_MS })
    const told = await this.rpc.call('putSnapshot', { body: { epoch: 1, revoked: [], tokens: [], defaultTargets: [...defaultTargets] } })
    if (!told.ok) throw new Error(told.error.message)
  }
}
