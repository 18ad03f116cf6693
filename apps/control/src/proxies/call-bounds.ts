// Bounds of the calls from control to the proxy.

/** Calls to the proxy that are not pushes, in milliseconds: it answers from memory. */
export const CALL_DEADLINE_MS = 2000

/** Calls of operators that are under way at once. */
export const MAX_OPERATOR_CALLS = 16

/** Of the link: one push, one update of the default endpoint, one of targets that are gone, one of a drain, and the calls of a connect. */
export const MAX_LINK_CALLS = 6
