// The whole demo: game servers, their inventory, a director that knows them. Opened completely or not at all.
import { join } from 'node:path'
import type { LogLevel } from '#config/env.js'
import type { Clock } from '#core/clock.js'
import { err, ok, type Result } from '#core/result.js'
import { openPrivateDirectory, type PrivateDirectory } from '../private-directory/private-directory.js'
import { openSupervisor } from '../processes/open-supervisor.js'
import type { Stopping } from '../processes/stopping.js'
import type { OnLine } from '../runtime/child.js'
import type { Runtime } from '../runtime/runtime.js'
import { HttpClient } from './http-client.js'
import { ReadyPorts } from './ready-ports.js'
import { openDemoServer, type DemoServer } from './servers.js'
import { configYaml, gameServers, gameServerYaml, type GameServerName, type Ports } from './world.js'

/** How long the director may take from its start until it answers queries, in ms. */
const READY_DEADLINE_MS = 20_000
const POLL_MS = 25

/** The inventory's directory, beside the configuration. */
const INVENTORY = 'inventory'

export interface Demo {
  /** The real ones, where 0 was asked for. */
  readonly ports: Ports
  readonly servers: ReadonlyArray<DemoServer<GameServerName>>
  /** The directory of YAML files; the director follows changes to it. */
  readonly inventoryPath: string
  readonly http: HttpClient
  readonly close: () => Promise<void>
}

/** `stop`: a signal came first. `refused`: a process cannot run like this. `timeout`: not ready in time. */
export type DemoFault = 'stop' | 'refused' | 'timeout'

export interface DemoOptions {
  readonly ports: Ports
  readonly logLevel: LogLevel
  readonly onLine: OnLine
  /** A signal ends the opening, too. */
  readonly stopping: Stopping
}

/** Opens the demo; after a fault nothing of it is left. */
export async function openDemo (runtime: Runtime, { ports, logLevel, onLine, stopping }: DemoOptions): Promise<Result<Demo, DemoFault>> {
  const servers = await Promise.all(gameServers.map(async ({ name }) => await openDemoServer(name)))
  const directory = openPrivateDirectory()
  runtime.atExit(directory.close)
  const configPath = writeWorld(directory, ports, servers)
  const ready = new ReadyPorts()
  const { socketPath, statePath } = directory
  const supervisor = openSupervisor({ configPath, logLevel, socketPath, statePath, drainTimeoutSeconds: 0 }, runtime, stopping, line => {
    ready.read(line)
    return onLine(line)
  })
  const close = async (): Promise<void> => {
    await supervisor.stop()
    await Promise.all(servers.map(async server => { await server.close() }))
    directory.close()
  }
  supervisor.start()
  const answered = answering(ready, runtime.clock, () => supervisor.isStopping)
  const outcome = await Promise.race([answered, supervisor.refused.then(() => 'refused' as const), stopping.asked])
  if (typeof outcome === 'object') return ok({ ...outcome, servers, inventoryPath: join(directory.path, INVENTORY), close })
  await close()
  return err(outcome)
}

/** Writes the inventory and the configuration; returns the path of the latter. */
function writeWorld (directory: PrivateDirectory, ports: Ports, servers: Demo['servers']): string {
  for (const [index, server] of gameServers.entries()) {
    directory.write(join(INVENTORY, `${server.name}.yaml`), gameServerYaml(server, servers[index]!.port))
  }
  return directory.write('config.yaml', configYaml(ports))
}

async function answering (ready: ReadyPorts, clock: Clock, isOver: () => boolean): Promise<Pick<Demo, 'ports' | 'http'> | 'timeout'> {
  const deadlineMs = clock.now() + READY_DEADLINE_MS
  while (clock.now() < deadlineMs && !isOver()) {
    const { ports } = ready
    if (ports !== undefined) {
      const http = new HttpClient(ports)
      if (await http.isReady()) return { ports, http }
    }
    await new Promise<void>(resolve => { clock.after(POLL_MS, resolve) })
  }
  return 'timeout'
}
