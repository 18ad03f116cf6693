// Which clients the data ports serve at all. Asked only about clients without a session: the others were allowed when
// they came, and the lists do not change while the process runs.
import { addressBlock, type AddressBlock } from '#wire/address-block.js'

export interface AccessLists {
  /** CIDR blocks; absent: everyone. */
  readonly allow?: readonly string[] | undefined
  /** CIDR blocks that are refused even if `allow` has them. */
  readonly deny: readonly string[]
}

export class AccessList {
  readonly #allow: readonly AddressBlock[] | undefined
  readonly #deny: readonly AddressBlock[]

  /** Throws if one of them is not a CIDR block; the configuration has checked that. */
  constructor ({ allow, deny }: AccessLists) {
    this.#allow = allow && blocks(allow)
    this.#deny = blocks(deny)
  }

  admits (words: Uint32Array): boolean {
    return !isIn(words, this.#deny) && (this.#allow === undefined || isIn(words, this.#allow))
  }
}

function isIn (words: Uint32Array, candidates: readonly AddressBlock[]): boolean {
  for (const contains of candidates) if (contains(words)) return true
  return false
}

function blocks (texts: readonly string[]): AddressBlock[] {
  return texts.map(text => {
    const block = addressBlock(text)
    if (block === undefined) throw new Error(`${text} is not a CIDR block`)
    return block
  })
}
