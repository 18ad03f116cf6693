// The HEALTHCHECK of control's image: is it alive? Kubernetes asks the port itself.
import { readStartUp } from '#config/start-up.js'
import { ExitCode } from '#core/exit-code.js'
import { httpFault } from '#telemetry/http-check.js'

const startUp = readStartUp()
const fault = startUp.ok ? await httpFault(livenessOf(startUp.value.config)) : startUp.error
if (fault !== undefined) process.stdout.write(`${fault}\n`)
process.exitCode = fault === undefined ? ExitCode.ok : ExitCode.failed

function livenessOf ({ bindAddress, adminPort }: { readonly bindAddress: string, readonly adminPort: number }): { host: string, port: number, path: string } {
  const isEverywhere = bindAddress === '::' || bindAddress === '0.0.0.0'
  return { host: isEverywhere ? 'localhost' : bindAddress, port: adminPort, path: '/livez' }
}
