// `node scripts/lint/words.mjs`, a part of `npm run lint`: docs, comments and messages use the words of the project.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { listFiles, rooms } from '../build-state.mjs'
import { findWords } from './word-list.mjs'

// The first has the words themselves, the second their tests; what was released is not rewritten.
const except = new Set(['scripts/lint/word-list.mjs', 'scripts/test/word-list.test.ts'])

const root = fileURLToPath(new URL('../..', import.meta.url))
const files = [
  ...rooms.flatMap(room => listFiles(root, room, path => /\.(?:ts|mjs|js)$/.test(path))),
  ...listFiles(root, 'docs', path => path.endsWith('.md')),
  'README.md', 'CONTRIBUTING.md', 'SECURITY.md'
].filter(path => !except.has(path))

let isClean = true
for (const file of files) {
  for (const fault of findWords(readFileSync(join(root, file), 'utf8'), file.endsWith('.md') ? 'markdown' : 'source')) {
    console.error(`${file}:${fault}`)
    isClean = false
  }
}
if (!isClean) process.exitCode = 1
