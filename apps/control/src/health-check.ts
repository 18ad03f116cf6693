// The HEALTHCHECK of control's image: is it alive? Kubernetes asks the port itself.
import { ANY_ADDRESS, isUnspecified, listenAddresses } from '#config/bind-addresses.js'
import type { Config } from '#config/schema.js'
import { readStartUp } from '#config/load/start-up.js'
import { ExitCode } from '#core/exit-code.js'
import { httpFault } from '#telemetry/http-check.js'

const startUp = readStartUp()
const fault = startUp.ok ? await httpFault(livenessOf(startUp.value.config)) : startUp.error
if (fault !== undefined) process.stdout.write(`${fault}\n`)
process.exitCode = fault === undefined ? ExitCode.ok : ExitCode.failed

function livenessOf (config: Pick<Config, 'bindAddress' | 'adminPort'>): { host: string, port: number, path: string } {
  const [address = ANY_ADDRESS] = listenAddresses(config)
  return { host: isUnspecified(address) ? 'localhost' : address, port: config.adminPort, path: '/livez' }
}
