// A list of candidates that comes in parts.
import t from 'tap'
import { MAX_DEFAULT_TARGETS, type Target } from '#rpc/contract.js'
import { Candidates } from '../../src/rpc/candidates.js'

function targets (from: number, count: number): Target[] {
  return Array.from({ length: count }, (_, index) => ({ key: `t${from + index}`, address: '10.0.0.1', ports: { game: 7000 } }))
}

void t.test('the whole list is there with its last part', t => {
  const candidates = new Candidates()
  t.strictSame(candidates.take({ defaultTargets: targets(0, 2) }), { ok: true, value: targets(0, 2) })
  t.strictSame(candidates.take({ defaultTargets: targets(0, 2), more: true }), { ok: true, value: undefined })
  t.strictSame(candidates.take({ defaultTargets: targets(2, 1), after: 2, more: true }), { ok: true, value: undefined })
  t.strictSame(candidates.take({ defaultTargets: targets(3, 1), after: 3 }), { ok: true, value: targets(0, 4) })
  t.strictSame(candidates.take({ defaultTargets: [] }), { ok: true, value: [] }, 'nothing is left of it')
  t.end()
})

void t.test('a list that is not gone on with is forgotten, and a part that does not follow is refused', t => {
  const candidates = new Candidates()
  candidates.take({ defaultTargets: targets(0, 2), more: true })
  t.strictSame(candidates.take({ defaultTargets: targets(5, 1), more: true }), { ok: true, value: undefined })
  t.match(candidates.take({ defaultTargets: targets(2, 1), after: 2 }), { ok: false, error: { code: 'INVALID', message: '1 candidates came before, not 2' } })
  t.strictSame(candidates.take({ defaultTargets: targets(6, 1), after: 1 }), { ok: true, value: targets(5, 2) })
  t.match(candidates.take({ defaultTargets: targets(7, 1), after: 2 }), { ok: false, error: { code: 'INVALID' } })
  t.end()
})

void t.test('a list is never longer than in one call', t => {
  const candidates = new Candidates()
  const half = MAX_DEFAULT_TARGETS / 2
  candidates.take({ defaultTargets: targets(0, half), more: true })
  candidates.take({ defaultTargets: targets(half, half), after: half, more: true })
  t.match(candidates.take({ defaultTargets: targets(0, 1), after: 2 * half }), { ok: false, error: { code: 'INVALID' } })
  t.match(candidates.take({ defaultTargets: [], after: 2 * half }), { ok: true, value: { length: 2 * half } })
  t.end()
})
