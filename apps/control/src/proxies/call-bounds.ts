// Bounds of the calls from control to the proxy.

/** Calls to the proxy that are not pushes, in milliseconds: it answers from memory. */
export const CALL_DEADLINE_MS = 2000

/** Calls of operators that are under way at once. */
export const MAX_OPERATOR_CALLS = 16

/**
 * Of the link: one push, one update of the default endpoint, one of targets that are gone, one of a drain, one of token keys, and the
 * calls of a connect; where directors share a store, one of answers, one of clients elsewhere, one of a client, and pages of two lists
 * of bindings.
 */
export const MAX_LINK_CALLS = 12
