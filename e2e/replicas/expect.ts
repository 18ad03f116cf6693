// What checks say when something is not as it must be.
import type { Outcome } from './crowd.js'

/** Throws unless everybody got the answer of the game server that their token was for. */
export function allRight ({ right, wrong, silent }: Outcome): void {
  if (wrong.length + silent.length > 0) throw new Error(`${right.length} are right, ${wrong.length} were sent elsewhere (${wrong.slice(0, 5).map(player => `${player.server}: ${player.last!.server} by replica ${player.last!.replica + 1}`).join(', ')}), ${silent.length} hear nothing`)
}

/** Throws unless both are the same number. */
export function equal (actual: number, expected: number, what: string): void {
  if (actual !== expected) throw new Error(`${what}: ${actual} and not ${expected}`)
}

/** A quantile of some figures; NaN if there are none. */
export function quantile (figures: readonly number[], share: number): number {
  return [...figures].sort((a, b) => a - b)[Math.min(figures.length - 1, Math.floor(share * figures.length))] ?? NaN
}
