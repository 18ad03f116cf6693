// Emphasis on a terminal that shows it, and nothing anywhere else.
import { styleText } from 'node:util'

const names = ['bold', 'dim', 'red', 'green', 'yellow', 'cyan'] as const

export type Paint = (text: string) => string

export type Style = Readonly<Record<typeof names[number], Paint>>

/** `hasColours` has been decided by then: newer versions of Node would ask stdout once more. */
export function createStyle (hasColours: boolean): Style {
  const paint = (name: keyof Style): Paint => text => hasColours ? styleText(name, text, { validateStream: false }) : text
  return Object.fromEntries(names.map(name => [name, paint(name)])) as Style
}
