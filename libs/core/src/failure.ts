// Why what was asked of the domain cannot be done: a value like any other. Whoever answers the caller knows what to make of
// its code; for HTTP that is the table of errors of control.

export interface Failure<Code extends string = string> {
  /** Of a closed set: programs tell failures apart by it. */
  readonly code: Code
  /** For people; names no address and no internals that the caller did not send. */
  readonly detail: string
}
