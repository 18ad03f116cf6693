import { readFileSync } from 'node:fs'
import t from 'tap'
import { invariants } from '../checks/invariants.js'

void t.test('docs/security.md names every invariant, and no other', async t => {
  const page = readFileSync('docs/security.md', 'utf8')
  const named = [...page.matchAll(/invariants?\s+((?:`\w+`(?:,?\s+)?)+)/g)].flatMap(([, list = '']) => [...list.matchAll(/`(\w+)`/g)].map(([, name = '']) => name))
  t.strictSame(named.filter(name => !(name in invariants)), [])
  t.strictSame(Object.keys(invariants).filter(name => !named.includes(name) && name !== 'datagramsBalance'), [], 'each is there for some threat; that the ledger balances is for none')
})
