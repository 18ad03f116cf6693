// Tokens that a seed decides.
import { tokenFromWords, type Token } from '#wire/token.js'
import type { Random } from '../basics/random.js'

/** A UUID version 4 of the simulation's own chance. */
export function randomToken (random: Random): Token {
  const version = random.bits() & 0xffff0fff | 0x4000
  const variant = random.bits() & 0x3fffffff | 0x80000000
  return tokenFromWords([random.bits(), version, variant, random.bits()])
}
