// Where clients are told to send their datagrams. Whoever answers asks it at that moment; it does no I/O itself.
import type { Advertise } from '#config/schema.js'
import { filledUrl } from '#config/advertised.js'
import { err, ok, type Result } from '#core/result.js'

/** What answers say of this replica. */
export interface Told {
  /** An IP address or a host name; undefined: clients send to the host that they asked. */
  readonly address: string | undefined
  /** The port that clients send to by data port name, where it is not the one that is bound. */
  readonly ports: Readonly<Record<string, number>>
  /** Of this very replica's public API. */
  readonly queryUrl: string | undefined
}

export interface AdvertisedStatus {
  /** Undefined until it is known. */
  readonly address: string | undefined
  /** What is wrong: why the address is not known, or may be another one by now. */
  readonly fault: string | undefined
}

/** The address as it is known now, and its changes. */
export interface KnownAddress {
  readonly current: () => AdvertisedStatus
  readonly close: () => Promise<void>
}

export interface Advertised {
  /** The fault is a sentence: the address is not known yet. Once known it stays known, though it may change. */
  readonly told: () => Result<Told, string>
  /** Undefined if nothing is to be told. */
  readonly status: () => AdvertisedStatus | undefined
  readonly close: () => Promise<void>
}

const nothing: Result<Told, string> = ok({ address: undefined, ports: {}, queryUrl: undefined })

/** For a director without `advertise`. */
export const notAdvertised: Advertised = { told: () => nothing, status: () => undefined, close: async () => { await Promise.resolve() } }

/** An address that does not change. */
export function fixedAddress (address: string): KnownAddress {
  const status: AdvertisedStatus = { address, fault: undefined }
  return { current: () => status, close: async () => { await Promise.resolve() } }
}

/** What answers say by `config`, with `known` as the address. `podName` is looked at where `queryUrl` has a place for it. */
export function advertisedAs (known: KnownAddress, { ports = {}, queryUrl }: Pick<Advertise, 'ports' | 'queryUrl'>, podName = ''): Advertised {
  // Made again only when the address has changed: each answer reads it.
  let made: { readonly address: string, readonly told: Result<Told, string> } | undefined
  return {
    told: () => {
      const { address, fault } = known.current()
      if (address === undefined) return err(fault ?? 'It has not been read yet.')
      if (made?.address !== address) {
        made = { address, told: ok({ address, ports, queryUrl: queryUrl === undefined ? undefined : filledUrl(queryUrl, { podName, address }) }) }
      }
      return made.told
    },
    status: () => known.current(),
    close: async () => { await known.close() }
  }
}
