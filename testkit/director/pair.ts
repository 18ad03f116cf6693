// Control and proxy as two processes of ours, each of which can be killed and started again: as containers of a pod run them.
import { openFolder, openMemoryFolder, type Folder } from '../folder.js'
import { startApp, type NodeProgram } from '../processes/node-program.js'
import { anyDataPorts, configText, withSettings, type Settings } from './config-text.js'
import { Director } from './director.js'
import { openedOrClosed } from './driven.js'

export interface PairOptions {
  /** Keys of the configuration, for those that do not fit all. */
  readonly config?: Settings
  /** Files of the inventory, by name. */
  readonly inventory?: Readonly<Record<string, string>>
  /** By name; default: `game` and `voice`, on ports that the system chooses. */
  readonly dataPorts?: Readonly<Record<string, number>>
  /** Default: `debug`. */
  readonly logLevel?: string
  /** Arguments of Node for control. */
  readonly controlArguments?: readonly string[]
  /** What the names of the state logs begin with. Default: a place in memory. On a disk, a kill may lose what was written last. */
  readonly statePath?: string
}

export class Pair extends Director {
  proxy: NodeProgram
  control: NodeProgram
  dataPorts: Readonly<Record<string, number>> = {}
  queryPort = 0
  adminPort = 0
  /** Where the state logs are, unless it was told another place. */
  readonly stateFolder: string
  readonly #state: Folder
  readonly #controlArguments: readonly string[]

  static async open (options: PairOptions = {}): Promise<Pair> {
    const pair = new Pair({ files: openFolder(), state: openMemoryFolder() }, options)
    return await openedOrClosed(pair, async () => { await pair.ready() })
  }

  private constructor ({ files, state }: Readonly<Record<'files' | 'state', Folder>>, { config = '', inventory = {}, dataPorts = anyDataPorts, logLevel = 'debug', controlArguments = [], statePath = `${state.path}/proxy.state` }: PairOptions) {
    files.makeFolder('inventory')
    for (const [name, text] of Object.entries(inventory)) files.write(`inventory/${name}`, text)
    super(files, configText({ settings: config, dataPorts }), { LOG_LEVEL: logLevel, UDP_DIRECTOR_STATE: statePath })
    this.#state = state
    this.stateFolder = state.path
    this.#controlArguments = controlArguments
    this.proxy = this.#startProxy()
    this.control = this.#startControl()
  }

  /** Resolves when both listen and control is synchronised with the proxy. */
  async ready (): Promise<void> {
    const [proxyLine, controlLine] = await Promise.all([this.proxy.line('Proxy listening'), this.control.line('Control listening')])
    this.dataPorts = proxyLine['dataPorts'] as Record<string, number>
    this.queryPort = controlLine['queryPort'] as number
    this.adminPort = controlLine['adminPort'] as number
    await this.started(async () => await this.isReady())
  }

  /** Other settings, which a process reads when it is started again. */
  configure (settings: Settings): void {
    this.files.write('config.yaml', withSettings(this.files.read('config.yaml'), settings))
  }

  /** Starts control again after its end, and waits until it is synchronised. */
  async restartControl (): Promise<void> {
    await this.control.ended
    this.control = this.#startControl()
    await this.ready()
  }

  async restartProxy (): Promise<void> {
    await this.proxy.ended
    this.proxy = this.#startProxy()
    await this.ready()
  }

  async restartBoth (): Promise<void> {
    await Promise.all([this.proxy.ended, this.control.ended])
    this.proxy = this.#startProxy()
    this.control = this.#startControl()
    await this.ready()
  }

  async close (): Promise<void> {
    await this.rpc.close()
    for (const process of this.processes()) process.kill('SIGKILL')
    await Promise.all(this.processes().map(async process => await process.ended))
    for (const folder of [this.files, this.#state]) folder.close()
  }

  protected processes (): readonly NodeProgram[] {
    return [this.control, this.proxy]
  }

  #startProxy (): NodeProgram {
    return startApp('proxy', this.env)
  }

  #startControl (): NodeProgram {
    return startApp('control', this.env, { nodeArguments: this.#controlArguments })
  }
}
