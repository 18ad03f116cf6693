// Binding a TCP port, with the sentences an operator needs when that fails.
import type { AddressInfo } from 'node:net'
import { err, ok, type Result } from '#core/result.js'
import type { TypedApp } from './typed-app.js'

/** The configuration key whose value is being bound. */
export type PortKey = 'queryPort' | 'adminPort'

const ANY_IPV6 = '::'
const ANY_IPV4 = '0.0.0.0'

/**
 * Listens and answers with the real port number. `::` falls back to `0.0.0.0` where IPv6 is off. Fails with a sentence
 * when the address or port cannot be had; anything unforeseen is thrown.
 */
export async function listenOn (app: TypedApp, address: string, port: number, key: PortKey): Promise<Result<number, string>> {
  try {
    await app.listen({ host: address, port })
    return ok((app.server.address() as AddressInfo).port)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (address === ANY_IPV6 && isWithoutIPv6(code)) return await listenOn(app, ANY_IPV4, port, key)
    if (code === 'EADDRINUSE') return err(`Port ${port} is taken: end what listens there, or set ${key} to another port.`)
    if (code === 'EACCES') return err(`Port ${port} may not be bound by this user: set ${key} to a port above 1023.`)
    if (isWithoutIPv6(code)) return err(`bindAddress ${address} is not an address of this machine.`)
    throw error
  }
}

function isWithoutIPv6 (code: string | undefined): boolean {
  return code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL'
}
