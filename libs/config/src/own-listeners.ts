// Where the director itself listens for datagrams, so that it is never made its own target.
import type { NetworkInterfaceInfo } from 'node:os'
import { addressWords } from '#wire/address.js'
import { dataAddresses, isUnspecified } from './bind-addresses.js'
import type { Config } from './schema.js'

/** `networkInterfaces()` of node:os, as far as it is used. */
export type Interfaces = Readonly<Record<string, ReadonlyArray<Pick<NetworkInterfaceInfo, 'address'>> | undefined>>

/**
 * The addresses and ports of the data ports: the configured addresses, and those of all interfaces where one is
 * unspecified. Ports the system chooses (0) are not known here.
 */
export function ownListeners (config: Pick<Config, 'bindAddress' | 'dataBindAddress' | 'dataPorts'>, interfaces: Interfaces): { ownAddresses: readonly string[], ownPorts: readonly number[] } {
  return {
    ownAddresses: [...new Set(dataAddresses(config).flatMap(address => isUnspecified(address) ? interfaceAddresses(interfaces) : [address]))],
    ownPorts: config.dataPorts.map(({ port }) => port).filter(port => port !== 0)
  }
}

/** Where datagrams of the director may come from: its data ports' addresses, and any interface's, for upstream sockets have no address of their own. */
export function ownSources (config: Pick<Config, 'bindAddress' | 'dataBindAddress' | 'dataPorts'>, interfaces: Interfaces): readonly string[] {
  return [...new Set([...ownListeners(config, interfaces).ownAddresses, ...interfaceAddresses(interfaces)])]
}

/** The addresses of all interfaces. Zones (fe80::1%eth0) are cut off: neither a target nor a client can have one. */
export function interfaceAddresses (interfaces: Interfaces): readonly string[] {
  return Object.values(interfaces)
    .flatMap(infos => infos?.map(({ address }) => address.replace(/%.*$/, '')) ?? [])
    .filter(address => addressWords(address) !== undefined)
}
