/**
 * A type that only its own constructor functions can make: structurally a `Base`, nominally a `Name`.
 * Costs nothing at run time.
 */
export type Brand<Base, Name extends string> = Base & { readonly __brand: Name }
