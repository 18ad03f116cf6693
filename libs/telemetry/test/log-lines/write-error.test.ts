import t from 'tap'
import { writeError } from '#telemetry/log-lines/write-error.js'

function written (text: string, isTTY: boolean, columns: number): string {
  let said = ''
  writeError(text, { isTTY, columns, write: (text: unknown) => { said += String(text); return true } })
  return said
}

void t.test('an error is folded to the terminal it goes to, and to nothing else', async t => {
  t.equal(written('one two three\n', true, 9), 'one two\n    three\n')
  t.equal(written('one two three\n', false, 9), 'one two three\n')
  t.equal(written('one two three\n', true, 0), 'one two three\n', 'a terminal of unknown width')
})
