// Where datagrams may be sent. An object can name any address, so without a rule anybody who may create objects in a watched
// namespace could make the director send to its own host, to a cloud's metadata service, or to itself in a loop.
import type { Target } from '#rpc/contract.js'
import { addressWords } from '#wire/address.js'
import { addressBlock, type AddressBlock } from '#wire/address-block.js'
import { isUnicast } from '#wire/unicast.js'

export type RefusalReason = 'not_an_address' | 'not_unicast' | 'loopback' | 'link_local' | 'not_in_allowed_targets' | 'own_listener'

/** Why a target may not be used: an error of the API, and the rule behind it. */
export interface TargetRefusal {
  readonly code: 'INVALID_TARGET' | 'TARGET_NOT_ALLOWED'
  readonly detail: string
  readonly reason: RefusalReason
}

export interface TargetPolicy {
  /** Undefined if datagrams may be sent to `target`. */
  readonly check: (target: Pick<Target, 'address' | 'ports'>) => TargetRefusal | undefined
}

export interface TargetPolicyOptions {
  /**
   * CIDR blocks, of which one must hold the address. They stand in place of the default rules against loopback and
   * link-local addresses; those for unicast and against our own listeners remain.
   */
  readonly allowedTargets?: readonly string[] | undefined
  /** Addresses that the data ports listen on; see `ownListeners`. */
  readonly ownAddresses: readonly string[]
  /** The data ports. */
  readonly ownPorts: readonly number[]
}

const refusals: Readonly<Record<RefusalReason, string>> = {
  not_an_address: 'The address is not an IPv4 or IPv6 address.',
  not_unicast: 'The address is not a unicast address.',
  loopback: 'The address is a loopback address, and no `allowedTargets` name it.',
  link_local: 'The address is a link-local address, and no `allowedTargets` name it.',
  not_in_allowed_targets: 'The address lies outside of `allowedTargets`.',
  own_listener: 'The address and port are a data port of the director itself.'
}

// IANA's IPv4 and IPv6 Special-Purpose Address Registries.
const loopback = blocks('127.0.0.0/8', '::1/128')
const linkLocal = blocks('169.254.0.0/16', 'fe80::/10')

/** The policy of a configuration. Throws on a block that is not CIDR, which the configuration has checked. */
export function createTargetPolicy ({ allowedTargets, ownAddresses, ownPorts }: TargetPolicyOptions): TargetPolicy {
  const allowed = allowedTargets === undefined ? undefined : blocks(...allowedTargets)
  const isOwnAddress = ownBlocks(ownAddresses)
  const ports = new Set(ownPorts)
  const reasonAgainst = (target: Pick<Target, 'address' | 'ports'>): RefusalReason | undefined => {
    const words = addressWords(target.address)
    if (words === undefined) return 'not_an_address'
    if (!isUnicast(words)) return 'not_unicast'
    if (isIn(words, isOwnAddress) && Object.values(target.ports).some(port => ports.has(port))) return 'own_listener'
    if (allowed !== undefined) return isIn(words, allowed) ? undefined : 'not_in_allowed_targets'
    return isIn(words, loopback) ? 'loopback' : isIn(words, linkLocal) ? 'link_local' : undefined
  }
  return {
    check: target => {
      const reason = reasonAgainst(target)
      if (reason === undefined) return undefined
      return { code: reason === 'not_an_address' ? 'INVALID_TARGET' : 'TARGET_NOT_ALLOWED', detail: refusals[reason], reason }
    }
  }
}

// A listener on every interface has all of 127.0.0.0/8, of which interfaces name only 127.0.0.1.
function ownBlocks (addresses: readonly string[]): readonly AddressBlock[] {
  const own = blocks(...addresses)
  const hasLoopback = addresses.some(address => isIn(addressWords(address) ?? [], loopback))
  return hasLoopback ? [...own, ...loopback] : own
}

function isIn (words: ArrayLike<number>, candidates: readonly AddressBlock[]): boolean {
  return candidates.some(contains => contains(words))
}

function blocks (...texts: readonly string[]): readonly AddressBlock[] {
  return texts.map(text => {
    const block = addressBlock(text)
    if (block === undefined) throw new Error(`${text} is not a CIDR block`)
    return block
  })
}
