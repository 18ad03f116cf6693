// `npm run gen` writes the documents that derive from tables in the code; `npm run gen -- --check` only compares.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ExitCode } from '#core/exit-code.js'
import { compareDocuments } from './drift.js'

// npm runs scripts in the project's folder; this file itself runs from dist.
const root = process.cwd()
const drifted = (await compareDocuments(root)).filter(({ text, found }) => text !== found)

if (process.argv.includes('--check')) {
  for (const { path } of drifted) console.log(`drifted: ${path}`)
  if (drifted.length > 0) console.log('Run `npm run gen` and commit the result.')
  process.exitCode = drifted.length === 0 ? ExitCode.ok : ExitCode.failed
} else {
  for (const { path, text } of drifted) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
    console.log(`written: ${path}`)
  }
  if (drifted.length === 0) console.log('Nothing changed.')
}
