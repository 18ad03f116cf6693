// That the words of word-list.mjs are found, and their neighbours are not.
import { pathToFileURL } from 'node:url'
import t from 'tap'

const { findWords } = await import(pathToFileURL('scripts/lint/word-list.mjs').href) as { findWords: (text: string, kind: 'markdown' | 'source') => string[] }

void t.test('each phrase is found, with its line and what to say instead', async t => {
  const phrases = ['what he sends', 'Mend the file.', 'a prefix is no address', 'these are no clients', 'waits so many ms', 'control\'s word holds', 'takes its word back', 'a bug or an enemy', 'an end in peace', 'it goes on without words']
  for (const phrase of phrases) t.match(findWords(`fine\n${phrase}`, 'source'), [/^2: ".+": say /], phrase)
  t.strictSame(findWords('what he mends', 'source').length, 2, 'one of each')
})

void t.test('plain English is left alone', async t => {
  const fine = ['There is no such port.', 'there are no tokens', 'it is no longer there', 'the header', 'a commendable amendment', 'these words', 'this is so', 'how many ms it waits']
  for (const text of fine) t.strictSame(findWords(text, 'source'), [], text)
})

void t.test('code in a page is not prose', async t => {
  t.strictSame(findWords('the field `his`\n\n```sh\necho mend\n```\nend', 'markdown'), [])
  t.match(findWords('```\ncode\n```\nhe', 'markdown'), [/^4: "he"/], 'lines count on')
})
