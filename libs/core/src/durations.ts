import type { Brand } from './brand.js'

/** A span of time in milliseconds. */
export type Millis = Brand<number, 'Millis'>

/** Seconds, as milliseconds. */
export function seconds (value: number): Millis {
  return value * 1000 as Millis
}
