// docs/protocol.md against the tables it describes, both ways: drop reasons and rows of the state table.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { scenarios } from '#testkit/state-table/scenarios.js'
import { sharedScenarios } from '#testkit/state-table/shared-scenarios.js'
import { dropReasons } from '../../../src/core/ledger/drop-reason.js'

const page = readFileSync('docs/protocol.md', 'utf8')

/** First cells of the table under a heading. */
function firstCells (heading: string): string[] {
  const from = page.indexOf(`\n## ${heading}\n`)
  t.ok(from >= 0, `docs/protocol.md has a heading ${heading}`)
  const section = page.slice(from + 1, page.indexOf('\n## ', from + 1))
  return [...section.matchAll(/^\| `?([\w.]+)`? \|/gm)].map(match => match[1] ?? '').filter(cell => cell !== 'reason')
}

void t.test('docs/protocol.md names every drop reason and no other', async t => {
  t.strictSame(firstCells('Drop reasons').sort(), Object.values(dropReasons).map(({ name }) => name).sort())
})

void t.test('docs/protocol.md has every row of the state table that is tested, and no other', async t => {
  const rows = [...new Set([...scenarios, ...sharedScenarios].map(({ row }) => row))].filter(row => /^\d/.test(row))
  t.strictSame(firstCells('What becomes of a datagram: the state table').sort(), rows.sort())
})
