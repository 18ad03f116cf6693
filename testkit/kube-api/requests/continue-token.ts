// What `metadata.continue` holds: the version all pages show, and where the next one starts. Opaque to clients, and in
// the same form as the real server's: https://github.com/kubernetes/apiserver/blob/master/pkg/storage/continue.go
export interface ContinueToken {
  /** -1 for "whatever is current": the token a 410 offers. */
  readonly version: number
  /** Key of the last object sent. */
  readonly after: string
}

export function encodeContinue ({ version, after }: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: version, start: `${after}\0` })).toString('base64url')
}

/** undefined for anything that this server has not made. */
export function decodeContinue (text: string): ContinueToken | undefined {
  try {
    const { v, rv, start } = JSON.parse(Buffer.from(text, 'base64url').toString()) as Record<string, unknown>
    if (v !== 'meta.k8s.io/v1' || typeof rv !== 'number' || typeof start !== 'string' || !start.endsWith('\0')) return undefined
    return { version: rv, after: start.slice(0, -1) }
  } catch {
    return undefined // Not JSON.
  }
}
