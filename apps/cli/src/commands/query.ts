// `query`: one question to a director, from a shell.
import { ExitCode } from '#core/exit-code.js'
import { err as failed, ok, type Result } from '#core/result.js'
import type { QueryInvocation } from '../command-line/query-options.js'
import { ask } from '../query/ask.js'
import { failureFrom, failureText, keyFileFailure, unreachable, type QueryFailure } from '../query/failure.js'
import { readKeyFile } from '../query/key-file.js'
import type { Runtime } from '../runtime/runtime.js'

type IssuedToken = Readonly<Record<string, unknown>> & { readonly token: string }

/** Prints the token, or the whole answer. Without one: the reason on stderr, or on stdout as JSON if that was asked for. */
export async function query (invocation: QueryInvocation, { out, err }: Pick<Runtime, 'out' | 'err'>): Promise<ExitCode> {
  const { isJson } = invocation
  const outcome = await tokenFor(invocation)
  if (!outcome.ok) {
    if (isJson) await out(`${JSON.stringify(outcome.error, null, 2)}\n`)
    else err(`${failureText(outcome.error)}\n`)
    return outcome.error.exitCode
  }
  await out(isJson ? `${JSON.stringify(outcome.value, null, 2)}\n` : `${outcome.value.token}\n`)
  return ExitCode.ok
}

async function tokenFor ({ url, body, keyFile }: QueryInvocation): Promise<Result<IssuedToken, QueryFailure>> {
  const key = keyFile === undefined ? ok(undefined) : readKeyFile(keyFile)
  if (!key.ok) return failed(keyFileFailure(key.error))
  const answer = await ask(url, body, key.value === undefined ? {} : { authorization: `Bearer ${key.value}` })
  if (!answer.ok) return failed(unreachable(url, answer.error))
  const { status, body: found } = answer.value
  const isIssued = status === 200 && typeof found?.['token'] === 'string'
  return isIssued ? ok(found as IssuedToken) : failed(failureFrom(url, answer.value))
}
