// `node scripts/lint/circles.mjs`, a part of `npm run lint`: no circle of imports in apps/, libs/, testkit/ and simulation/, of files or of
// folders, but for those that are known.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { listSources } from '../build-state.mjs'
import { findFaults, foldersOf, readImports } from './import-circles.mjs'
import { knownArrows } from './known-circles.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { imports: subpaths } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const files = readImports(root, listSources(root).filter(path => /^(?:apps|libs|testkit|simulation)\//.test(path)), subpaths)
const faults = [...findFaults(files, knownArrows.files), ...findFaults(foldersOf(files), knownArrows.folders)]
for (const fault of faults) console.error(fault)
if (faults.length > 0) process.exitCode = 1
