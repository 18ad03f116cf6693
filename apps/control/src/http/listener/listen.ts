// Binding a TCP port, with the sentences an operator needs when that fails.
import type { AddressInfo } from 'node:net'
import { ANY_ADDRESS, ANY_IPV4 } from '#config/bind-addresses.js'
import { err, ok, type Result } from '#core/result.js'
import { SideDoors } from './side-doors.js'
import type { TypedApp } from './listener.js'

/** The configuration key whose value is being bound. */
export type PortKey = 'queryPort' | 'adminPort'

/** Ports tried where the system chooses one, which has to be free at several addresses. */
const ATTEMPTS = 16

/**
 * Listens at every address and answers with the real port number, the same at each. `::` falls back to `0.0.0.0` where IPv6
 * is off. Fails with a sentence when an address or the port cannot be had; anything unforeseen is thrown.
 */
export async function listenOn (app: TypedApp, [first = ANY_ADDRESS, ...others]: readonly string[], port: number, key: PortKey): Promise<Result<number, string>> {
  const doors = new SideDoors(app)
  try {
    await app.ready()
    return ok(await listenEverywhere(app, doors, first, others, port))
  } catch (error) {
    await doors.close()
    const { code, address = first } = error as NodeJS.ErrnoException & { readonly address?: string }
    if (code === 'EADDRINUSE') return err(`Port ${port} is taken: end what listens there, or set ${key} to another port.`)
    if (code === 'EACCES') return err(`Port ${port} may not be bound by this user: set ${key} to a port above 1023.`)
    if (isWithoutIPv6(code)) return err(`bindAddress ${address} is not an address of this machine.`)
    throw error
  }
}

async function listenEverywhere (app: TypedApp, doors: SideDoors, first: string, others: readonly string[], port: number, attempts = ATTEMPTS): Promise<number> {
  try {
    let chosen = port
    for (const address of others) chosen = await doors.open(address, chosen)
    return await listenAt(app, first, chosen)
  } catch (error) {
    if (port !== 0 || others.length === 0 || attempts === 1 || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    await doors.close()
    return await listenEverywhere(app, doors, first, others, port, attempts - 1)
  }
}

async function listenAt (app: TypedApp, address: string, port: number): Promise<number> {
  try {
    await app.listen({ host: address, port })
    return (app.server.address() as AddressInfo).port
  } catch (error) {
    if (address === ANY_ADDRESS && isWithoutIPv6((error as NodeJS.ErrnoException).code)) return await listenAt(app, ANY_IPV4, port)
    throw error
  }
}

function isWithoutIPv6 (code: string | undefined): boolean {
  return code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL'
}
