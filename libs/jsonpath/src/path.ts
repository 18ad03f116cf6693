// What a compiled path is. The subset of JSONPath that is read, and its limits, are in compile-path.ts.

/** Longest text of a path, in UTF-16 code units. */
export const MAX_PATH_LENGTH = 256

/** Most segments of a path, those inside a filter included. */
export const MAX_SEGMENTS = 16

/** Most nodes that one evaluation visits; what lies beyond does not match. */
export const MAX_NODES = 10_000

/** A segment that selects one child at most: a member by name, or an element by index (negative: from the end). */
export type Step =
  | { readonly kind: 'name', readonly name: string }
  | { readonly kind: 'index', readonly index: number }

export type Operator = '==' | '!=' | '<' | '<=' | '>' | '>='

export type Literal = string | number | boolean | null

/** Keeps the children that have a node at `steps`, or one that compares as asked. */
export interface Filter {
  readonly kind: 'filter'
  readonly steps: readonly Step[]
  readonly comparison?: { readonly operator: Operator, readonly literal: Literal }
}

export type Segment = Step | { readonly kind: 'wildcard' } | Filter

/** Made by `compilePath` alone. */
export interface CompiledPath {
  readonly text: string
  readonly segments: readonly Segment[]
}

/** Why a text is not a path. */
export interface PathFault {
  readonly message: string
  /** Index of the character that does not fit, from 0; the length of the text if it ends too early. */
  readonly position: number
}

export function isStep (segment: Segment): segment is Step {
  return segment.kind === 'name' || segment.kind === 'index'
}
