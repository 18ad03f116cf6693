// Emphasis on a terminal that shows it, and nothing anywhere else.

export type Paint = (text: string) => string

export interface Style {
  readonly bold: Paint
  readonly dim: Paint
  readonly red: Paint
  readonly green: Paint
  readonly yellow: Paint
  readonly cyan: Paint
}

// Select Graphic Rendition, ECMA-48 §8.3.117: the code that switches on, and the one that switches off.
function paint (on: number, off: number): Paint {
  return text => `\u001b[${on}m${text}\u001b[${off}m`
}

const coloured: Style = {
  bold: paint(1, 22),
  dim: paint(2, 22),
  red: paint(31, 39),
  green: paint(32, 39),
  yellow: paint(33, 39),
  cyan: paint(36, 39)
}

const asIs: Paint = text => text

const plain: Style = { bold: asIs, dim: asIs, red: asIs, green: asIs, yellow: asIs, cyan: asIs }

export function createStyle (hasColours: boolean): Style {
  return hasColours ? coloured : plain
}
