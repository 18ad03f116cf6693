// Text in lines that a terminal shows whole.

/** As many pieces in each line as have room, with a space between them; one that is too long is a line by itself. */
export function foldPieces (pieces: readonly string[], columns: number): string[] {
  const lines: string[] = []
  for (const piece of pieces) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + piece.length <= columns) lines[lines.length - 1] = `${last} ${piece}`
    else lines.push(piece)
  }
  return lines
}

const CONTINUED = '    '

/**
 * Folds the lines of `text` that are longer than `columns`, at spaces; what goes on is indented further than its line.
 * Lines in colours stay as they are: who painted them has folded them.
 */
export function foldText (text: string, columns: number): string {
  return text.split('\n').map(line => line.length > columns && !line.includes('\u001b') ? foldLine(line, columns) : line).join('\n')
}

function foldLine (line: string, columns: number): string {
  const words = line.trimStart()
  const indent = line.slice(0, line.length - words.length)
  const [first = '', ...rest] = foldPieces(words.split(' '), columns - indent.length)
  const further = foldPieces(rest.join(' ').split(' '), columns - indent.length - CONTINUED.length)
  return [`${indent}${first}`, ...rest.length === 0 ? [] : further.map(piece => `${indent}${CONTINUED}${piece}`)].join('\n')
}
