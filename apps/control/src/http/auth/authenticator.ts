// What a request must bring to be served, for every kind of proof.

/** Why a caller is not authenticated: a closed set, and the label of a metric. */
export const authFailures = ['missing', 'malformed', 'refused', 'unavailable'] as const
export type AuthFailure = typeof authFailures[number]

/** `name` is that of the key, or the subject of the token; undefined where nothing is asked for. */
export type Verdict =
  | { readonly ok: true, readonly name: string | undefined }
  | { readonly ok: false, readonly failure: AuthFailure }

export interface Authenticator {
  /** False if everybody is let in unasked. */
  readonly isRequired: boolean
  /** Judges the value of an Authorization header. */
  readonly verify: (authorization: string | undefined) => Verdict | Promise<Verdict>
  readonly close: () => Promise<void>
}

/** Lets everybody in. */
export const openToAll: Authenticator = {
  isRequired: false,
  verify: () => anybody,
  close: async () => { await Promise.resolve() }
}

const anybody: Verdict = { ok: true, name: undefined }

/** Verdicts are shared: a flood of refusals makes no garbage of its own. */
export const failed: { readonly [Failure in AuthFailure]: Verdict } = {
  missing: { ok: false, failure: 'missing' },
  malformed: { ok: false, failure: 'malformed' },
  refused: { ok: false, failure: 'refused' },
  unavailable: { ok: false, failure: 'unavailable' }
}

// RFC 6750 §2.1: the scheme in any case, one space, and a token68.
const BEARER = /^bearer +([\w\-.~+/]+=*)$/i

/** The credentials of an Authorization header, or why there are none. */
export function bearerFrom (authorization: string | undefined): { readonly credentials: string } | Verdict {
  if (authorization === undefined) return failed.missing
  const credentials = BEARER.exec(authorization)?.[1]
  return credentials === undefined ? failed.malformed : { credentials }
}
