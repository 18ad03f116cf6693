// Calls to the HTTP APIs of a director.

export interface HttpAnswer {
  readonly status: number
  readonly headers: Headers
  /** Parsed, if it is JSON; its text, if it is not. */
  readonly body: unknown
}

/** @param body sent as JSON; text is sent as it is */
export async function callHttp (url: string, method: string, path: string, body?: unknown): Promise<HttpAnswer> {
  const answer = await fetch(url + path, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: typeof body === 'string' ? body : JSON.stringify(body) })
  })
  const text = await answer.text()
  const isJson = answer.headers.get('content-type')?.includes('json') === true
  return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : text }
}

/** The token in the answer to `POST /query` or `POST /tokens`. Throws what was answered instead. */
export function tokenOf ({ status, body }: HttpAnswer): string {
  if (status !== 200 && status !== 201) throw new Error(`no token, but ${status}: ${JSON.stringify(body)}`)
  return (body as { token: string }).token
}
