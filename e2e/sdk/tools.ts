// Generators and judges of API documents, each at one version. npm, pip and Go fetch them into a folder that is gone
// afterwards; what they keep in their own caches makes the next run quick.
import { runProgram, type Finished } from '#testkit/processes/run-program.js'

export const npmTools = ['@hey-api/openapi-ts@0.95.0', '@redocly/cli@2.77.0', '@stoplight/spectral-cli@6.16.3', 'openapi-fetch@0.17.0', 'openapi-typescript@7.13.0', 'typescript@5.9.3', '@types/node@20.19.43'] as const
export const pipTools = ['openapi-python-client==0.29.1', 'schemathesis==4.32.5'] as const
export const goTools = {
  'oapi-codegen': 'github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2',
  ogen: 'github.com/ogen-go/ogen/cmd/ogen@v1.24.0'
} as const

/** Runs a tool to its end; throws with what it wrote unless it ends with 0. */
export async function must (command: string, args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): Promise<Finished> {
  const finished = await runProgram(command, args, { cwd, env: { ...process.env, ...env } })
  if (finished.code !== 0) throw new Error(`${[command, ...args].join(' ')} ended with ${String(finished.code)}:\n${(finished.stdout + finished.stderr).slice(-4000)}`)
  return finished
}
