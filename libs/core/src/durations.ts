import type { Brand } from './brand.js'

/** A span of time in milliseconds. */
export type Millis = Brand<number, 'Millis'>

/** Milliseconds, as they are. */
export function millis (value: number): Millis {
  return value as Millis
}

/** Seconds, as milliseconds. */
export function seconds (value: number): Millis {
  return value * 1000 as Millis
}
