// `node scripts/lint/rooms.mjs`, a part of `npm run lint`: no folder has too many files, but for those that are
// known, and docs/architecture.md says of each of some size what it is for.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { listFiles, rooms } from '../build-state.mjs'
import { knownCrowded } from './known-crowded.mjs'
import { countFiles, findCrowded, findRowFaults, readRows } from './room-sizes.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const counts = countFiles(rooms.flatMap(room => listFiles(root, room, path => /\.(?:ts|mjs|js)$/.test(path))))
const rows = readRows(readFileSync(join(root, 'docs/architecture.md'), 'utf8'))
const faults = [...findCrowded(counts, knownCrowded), ...findRowFaults(counts, rows)]
for (const fault of faults) console.error(fault)
if (faults.length > 0) process.exitCode = 1
