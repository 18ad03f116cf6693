// The size of rooms: a folder that holds many files flat has more than one idea, and one of some size needs a line that
// says what it is for.
import { posix } from 'node:path'

/** Files one beside the other in a folder. */
export const MOST_FILES = 15

/** Folders with more files than this have a row in the table "Rooms" of docs/architecture.md. */
export const MOST_WITHOUT_ROW = 5

const areas = /^(?:apps\/[^/]+\/src|libs\/[^/]+\/src|simulation|testkit|fuzz|e2e|bench|scripts)(?:\/|$)/

/**
 * How many of `files` each folder has, not counting those of folders in it. Folders of tests are left out: they have the
 * shape of what they test.
 *
 * @param {readonly string[]} files paths of sources
 * @returns {Map<string, number>}
 */
export function countFiles (files) {
  const counts = new Map()
  for (const file of files) {
    const folder = posix.dirname(file)
    if (areas.test(folder) && !/(?:^|\/)test(?:\/|$)/.test(folder)) counts.set(folder, (counts.get(folder) ?? 0) + 1)
  }
  return counts
}

/**
 * What is wrong, one text a fault: a folder with too many files or with more than are known, or a known one that has
 * become small enough.
 *
 * @param {ReadonlyMap<string, number>} counts
 * @param {Readonly<Record<string, number>>} known folders that are too large, with how many files they may have
 */
export function findCrowded (counts, known) {
  return [
    ...[...counts]
      .filter(([folder, count]) => count > Math.max(MOST_FILES, known[folder] ?? 0))
      .map(([folder, count]) => `${folder} has ${count} files; ${known[folder] ?? MOST_FILES} are the most. Put those of one idea into a folder of their own.`),
    ...Object.keys(known)
      .filter(folder => (counts.get(folder) ?? 0) <= MOST_FILES)
      .map(folder => `${folder} has ${MOST_FILES} files or less now: take it off scripts/lint/known-crowded.mjs.`)
  ]
}

/** The folders that have a row in the table under the heading "Rooms": the first cell, without its quotes. */
export function readRows (page) {
  const section = /^## Rooms\n([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(page)?.[1] ?? ''
  return [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, folder]) => folder)
}

/**
 * What is wrong with the rows: a folder of some size without one, or a row without its folder.
 *
 * @param {ReadonlyMap<string, number>} counts
 * @param {readonly string[]} rows
 */
export function findRowFaults (counts, rows) {
  const known = new Set(rows)
  return [
    ...[...counts]
      .filter(([folder, count]) => count > MOST_WITHOUT_ROW && !known.has(folder))
      .map(([folder]) => `${folder} has no row in the table "Rooms" of docs/architecture.md: say there what it owns and who may call it.`),
    ...rows
      .filter(row => !counts.has(row))
      .map(row => `The table "Rooms" of docs/architecture.md has a row for ${row}, which is not there.`)
  ]
}
