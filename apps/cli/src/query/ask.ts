// POST /query from outside. By undici itself, because fetch refuses some ports that a director may well have (Fetch
// standard, "port blocking": 6000, 6667, 10080 and some eighty more).
import { Agent, request } from 'undici'
import { err, ok, type Result } from '#core/result.js'
import type { QueryBody } from '../command-line/query-options.js'

/** How long an answer may take, in ms; the director itself gives up on its proxy after `pushDeadlineMs`. */
const DEADLINE_MS = 10_000
/** An answer of a director has some hundred bytes. */
const MAX_ANSWER_BYTES = 1_000_000

export interface Answer {
  readonly status: number
  readonly contentType: string | undefined
  /** Seconds of Retry-After. */
  readonly retryAfter: number | undefined
  /** The body, if it is a JSON object. */
  readonly body: Readonly<Record<string, unknown>> | undefined
}

/** The error says in a few words why there is no answer. */
export async function ask (url: URL, body: QueryBody, headers: Readonly<Record<string, string>>, deadlineMs = DEADLINE_MS): Promise<Result<Answer, string>> {
  const dispatcher = new Agent({ maxResponseSize: MAX_ANSWER_BYTES, connect: { timeout: deadlineMs } })
  try {
    const response = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, application/problem+json', ...headers },
      body: JSON.stringify(body),
      dispatcher,
      signal: AbortSignal.timeout(deadlineMs)
    })
    const text = await response.body.text()
    const retryAfter = Number(one(response.headers['retry-after']))
    return ok({
      status: response.statusCode,
      contentType: one(response.headers['content-type']),
      retryAfter: Number.isInteger(retryAfter) ? retryAfter : undefined,
      body: objectFrom(text)
    })
  } catch (error) {
    return err(causeOf(error, deadlineMs))
  } finally {
    // The one connection; it would keep the process for as long as the director lets it be idle.
    await dispatcher.destroy()
  }
}

function one (header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header
}

function objectFrom (text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value as Record<string, unknown> : undefined
  } catch {
    return undefined // not JSON: some other server
  }
}

// A name with several addresses fails with one error for each (RFC 8305).
function causeOf (error: unknown, deadlineMs: number): string {
  if (error instanceof AggregateError) return causeOf(error.errors[0], deadlineMs)
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError' || error.name === 'ConnectTimeoutError') return `no answer within ${deadlineMs / 1000} s`
  return (error as NodeJS.ErrnoException).code ?? error.message
}
