import type { Brand } from './brand.js'

/** A span of time in milliseconds. */
export type Millis = Brand<number, 'Millis'>

/** Seconds, as milliseconds. */
export function seconds (value: number): Millis {
  return value * 1000 as Millis
}

/** The same values, but that what is called `…Seconds` is called `…Ms`. */
export type InMs<Values> = { readonly [Key in keyof Values as Key extends `${infer Name}Seconds` ? `${Name}Ms` : Key]: Values[Key] }

/** A copy in which each span of time that is named `…Seconds` is in milliseconds, and is named `…Ms`. */
export function inMs<Values extends object> (values: Values): InMs<Values> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) =>
    key.endsWith('Seconds') ? [key.replace(/Seconds$/, 'Ms'), seconds(value as number)] : [key, value])) as InMs<Values>
}
