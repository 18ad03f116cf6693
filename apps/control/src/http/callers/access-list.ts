// CIDR lists of who may call. Pure.
import type { Access } from '#config/schema.js'
import { addressBlock, type AddressBlock } from '#wire/address-block.js'

/** Whether an address, as its words, may call: `deny` wins, and `allow`, if given, must have it. */
export type AccessList = (words: ArrayLike<number>) => boolean

/** Undefined if the lists let everybody in. Throws if a block is none, which the configuration has checked. */
export function createAccessList ({ allow, deny = [] }: Access): AccessList | undefined {
  if (allow === undefined && deny.length === 0) return undefined
  const allowed = allow?.map(blockFrom)
  const denied = deny.map(blockFrom)
  const isIn = (words: ArrayLike<number>, blocks: readonly AddressBlock[]): boolean => blocks.some(contains => contains(words))
  return words => !isIn(words, denied) && (allowed === undefined || isIn(words, allowed))
}

function blockFrom (text: string): AddressBlock {
  const block = addressBlock(text)
  if (block === undefined) throw new Error(`${text} is no CIDR block`)
  return block
}
