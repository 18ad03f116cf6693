// Who takes part, by address: all of it in 127.0.0.0/8, which Linux has as a whole.

export interface Endpoint {
  readonly address: string
  readonly port: number
}

/** Client addresses with the same port; the next ones have another. */
export const CLIENTS_PER_PORT = 4096

// What a game server has: that many clients are on the same target, and as many upstream sockets are there.
const CLIENTS_PER_TARGET = 16

/** The address of a client, by its number. */
export function clientAddress (client: number): string {
  const place = client % CLIENTS_PER_PORT
  return `127.16.${place >> 8}.${place & 0xff}`
}

/** How many targets so many clients are spread over. */
export function targetCount (clients: number): number {
  return Math.min(Math.ceil(clients / CLIENTS_PER_TARGET), 8192)
}

/** The targets, which the sink is under all of these addresses. */
export function targetsAt (count: number, port: number): readonly Endpoint[] {
  return Array.from({ length: count }, (_, target) => ({ address: `127.32.${target >> 8}.${target & 0xff}`, port }))
}
