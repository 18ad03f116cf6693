// `query`: one question to a director, from a shell.
import { readFileSync } from 'node:fs'
import { ExitCode } from '#core/exit-code.js'
import { err as failure, ok, type Result } from '#core/result.js'
import type { QueryInvocation } from '../command-line/query-options.js'
import type { Runtime } from '../runtime.js'

/** How long an answer may take, in ms; the director itself gives up on its proxy after `pushDeadlineMs`. */
const DEADLINE_MS = 10_000

/** Prints the token, or the whole answer; the reason on stderr when there is none. */
export async function query ({ url, body, isJson, keyFile }: QueryInvocation, { out, err }: Pick<Runtime, 'out' | 'err'>): Promise<ExitCode> {
  const authorization = authorizationFrom(keyFile)
  if (!authorization.ok) {
    err(`${authorization.error}\n`)
    return ExitCode.failed
  }
  let response, text
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, application/problem+json', ...authorization.value },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(DEADLINE_MS)
    })
    text = await response.text()
  } catch (error) {
    err(`${url.href} cannot be reached: ${causeOf(error)}. Is the director running there?\n`)
    return ExitCode.failed
  }
  const answer = objectFrom(text)
  const token = answer?.['token']
  if (response.ok && typeof token === 'string') {
    await out(isJson ? `${JSON.stringify(answer, null, 2)}\n` : `${token}\n`)
    return ExitCode.ok
  }
  err(`${problemText(response, answer, url)}\n`)
  return ExitCode.failed
}

// The fault never says what is in the file.
function authorizationFrom (keyFile: string | undefined): Result<Readonly<Record<string, string>>, string> {
  if (keyFile === undefined) return ok({})
  let text
  try {
    text = readFileSync(keyFile, 'utf8')
  } catch (error) {
    return failure(`${keyFile} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}.`)
  }
  const [line = ''] = text.split('\n')
  const key = line.trim()
  return /^[\w\-.~+/]+=*$/.test(key) ? ok({ authorization: `Bearer ${key}` }) : failure(`${keyFile} has no key on its first line.`)
}

/** A failed answer for a person; problem details (RFC 9457) if it carries them. */
function problemText ({ status, headers }: Response, answer: Record<string, unknown> | undefined, url: URL): string {
  if (answer === undefined || typeof answer['code'] !== 'string') {
    return `${url.href} does not answer like a UDP Director: status ${status}, ${headers.get('content-type') ?? 'no content type'}.`
  }
  const { code, title, detail, errors, position } = answer
  const retryAfter = headers.get('retry-after')
  return [
    `${code} (${status}): ${String(title)}.`,
    ...typeof detail === 'string' ? [`  ${detail}`] : [],
    ...faultLines(errors),
    ...typeof position === 'number' ? [`  At position ${position}.`] : [],
    ...retryAfter === null ? [] : [`  Try again in ${retryAfter} s.`]
  ].join('\n')
}

function faultLines (errors: unknown): string[] {
  if (!Array.isArray(errors)) return []
  return (errors as Array<Record<string, unknown>>).map(({ path, message }) => `  ${String(path)}: ${String(message)}`)
}

function objectFrom (text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value as Record<string, unknown> : undefined
  } catch {
    return undefined // not JSON: some other server
  }
}

// fetch says "fetch failed"; why is in the cause.
function causeOf (error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `no answer within ${DEADLINE_MS / 1000} s`
  const cause = error.cause as NodeJS.ErrnoException | undefined
  return cause?.code ?? cause?.message ?? error.message
}
