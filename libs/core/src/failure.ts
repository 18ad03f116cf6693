// Why the domain cannot do what it was asked to do, as a value. Whoever answers the caller maps the code; for HTTP the table of
// errors of control does.

export interface Failure<Code extends string = string> {
  /** Of a closed set: programs tell failures apart by it. */
  readonly code: Code
  /** For people; names no address and no internals that the caller did not send. */
  readonly detail: string
}
