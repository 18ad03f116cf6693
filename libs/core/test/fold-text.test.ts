import t from 'tap'
import { foldPieces, foldText } from '#core/fold-text.js'

void t.test('pieces share a line while there is room', async t => {
  t.strictSame(foldPieces(['one', 'two', 'three'], 7), ['one two', 'three'])
  t.strictSame(foldPieces(['one', 'very-long', 'x'], 5), ['one', 'very-long', 'x'], 'a piece is never cut')
  t.strictSame(foldPieces([], 5), [])
})

void t.test('a line that is too long goes on below, further in; others stay as they are', async t => {
  t.equal(foldText('config.yaml has 1 fault:\n  queryPort: must be a whole number from 0 to 65535, not "abc".\n', 40), [
    'config.yaml has 1 fault:',
    '  queryPort: must be a whole number from',
    '      0 to 65535, not "abc".',
    ''
  ].join('\n'))
  t.equal(foldText('a b', 3), 'a b')
  t.equal(foldText('\u001b[1mone\u001b[22m two', 8), '\u001b[1mone\u001b[22m two')
  t.equal(foldText('/a/path/that/is/long and more words', 10), '/a/path/that/is/long\n    and\n    more\n    words')
  t.equal(foldText('      x y z', 6), '      x\n          y\n          z', 'no room at all')
})
