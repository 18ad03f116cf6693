// Where every datagram went: sent = received + what was dropped and counted. Nothing may be missing.
import type { Drops } from './forwarders/forwarder.js'

export interface Ledger {
  readonly sent: number
  readonly received: number
  /** By who counted it: only those that are not 0. */
  readonly drops: Drops
  /** Sent, and neither received nor counted by anybody. Below 0: more than was sent. */
  readonly missing: number
}

export function balance (sent: number, received: number, drops: Drops): Ledger {
  const counted = Object.entries(drops).filter(([, count]) => count !== 0)
  return { sent, received, drops: Object.fromEntries(counted), missing: sent - received - counted.reduce((sum, [, count]) => sum + count, 0) }
}

/** What was dropped between two readings. */
export function dropsSince (before: Drops, after: Drops): Drops {
  return Object.fromEntries(Object.entries(after).map(([reason, count]) => [reason, count - (before[reason] ?? 0)]))
}

/** All of them as one. */
export function total (ledgers: readonly Ledger[]): Ledger {
  const drops = new Map<string, number>()
  for (const ledger of ledgers) for (const [reason, count] of Object.entries(ledger.drops)) drops.set(reason, (drops.get(reason) ?? 0) + count)
  const sum = (value: (ledger: Ledger) => number): number => ledgers.reduce((sum, ledger) => sum + value(ledger), 0)
  return { sent: sum(({ sent }) => sent), received: sum(({ received }) => received), drops: Object.fromEntries(drops), missing: sum(({ missing }) => missing) }
}

/** One line for people; a ledger that does not balance says so. */
export function ledgerLine ({ sent, received, drops, missing }: Ledger): string {
  const terms = [`${received} received`, ...Object.entries(drops).map(([reason, count]) => `${count} (${reason})`)].join(' + ')
  return missing === 0 ? `${sent} sent = ${terms}` : `${sent} sent ≠ ${terms}: ${missing} not accounted for`
}
