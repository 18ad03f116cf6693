// Where the director itself listens for datagrams, so that it is never made its own target.
import type { NetworkInterfaceInfo } from 'node:os'
import type { Config } from './schema.js'
import { addressWords } from '#wire/address.js'

/** `networkInterfaces()` of node:os, as far as it is used. */
export type Interfaces = Readonly<Record<string, ReadonlyArray<Pick<NetworkInterfaceInfo, 'address'>> | undefined>>

const unspecified = new Set(['::', '0.0.0.0', '::0'])

/**
 * The addresses and ports of the data ports: the configured address, or those of all interfaces where that is
 * unspecified. Ports the system chooses (0) are not known here.
 */
export function ownListeners ({ bindAddress, dataPorts }: Pick<Config, 'bindAddress' | 'dataPorts'>, interfaces: Interfaces): { ownAddresses: readonly string[], ownPorts: readonly number[] } {
  const addresses = unspecified.has(bindAddress)
    ? Object.values(interfaces).flatMap(infos => infos?.map(({ address }) => address) ?? [])
    : [bindAddress]
  return {
    // Zones (fe80::1%eth0) are cut off: a target cannot have one.
    ownAddresses: addresses.map(address => address.replace(/%.*$/, '')).filter(address => addressWords(address) !== undefined),
    ownPorts: dataPorts.map(({ port }) => port).filter(port => port !== 0)
  }
}
