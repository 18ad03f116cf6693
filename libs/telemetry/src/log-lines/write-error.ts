// What a process says to whoever started it, on stderr: why it does not run.
import { foldText } from '#core/fold-text.js'

/** Writes `text`, folded to the width of the terminal if it goes to one. */
export function writeError (text: string, stream: Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'write'> = process.stderr): void {
  // The last column stays empty: some terminals begin a new line after it by themselves.
  stream.write(stream.isTTY && stream.columns > 1 ? foldText(text, stream.columns - 1) : text)
}
