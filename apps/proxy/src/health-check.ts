// The HEALTHCHECK of the proxy's image: does it answer on its Unix socket? Kubernetes has a probe of its own.
import { readStartUp } from '#config/load/start-up.js'
import { ExitCode } from '#core/exit-code.js'
import { rpcCalls } from '#rpc/contract.js'
import { httpFault } from '#telemetry/http-check.js'

const startUp = readStartUp()
const fault = startUp.ok ? await httpFault({ socketPath: startUp.value.environment.socketPath, path: rpcCalls.hello.path }) : startUp.error
if (fault !== undefined) process.stdout.write(`${fault}\n`)
process.exitCode = fault === undefined ? ExitCode.ok : ExitCode.failed
