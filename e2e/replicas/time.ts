// The only clock and the only pause of this suite: players send again after a while, and what that takes is measured.

/** In ms. */
export function nowMs (): number {
  // eslint-disable-next-line no-restricted-syntax -- it measures
  return performance.now()
}

export async function pause (ms: number): Promise<void> {
  // eslint-disable-next-line no-restricted-syntax -- a player's own period
  await new Promise<void>(resolve => { setTimeout(resolve, ms) })
}
