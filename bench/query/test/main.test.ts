// The benchmark of queries, as far as a test can say: its parts work together, and its arithmetic is right. No figure is judged.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { gameServer, isFixed, queriesFor, spreadOf } from '../game-servers.js'
import { readOptions } from '../options.js'
import { ratiosOf, tableOf } from '../report.js'
import type { Figures } from '../side.js'
import { median, percentile } from '../../statistics.js'

void t.test('a short run measures real queries and writes its table and its figures', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'))
  t.teardown(async () => { await rm(folder, { recursive: true }) })
  const json = join(folder, 'figures.json')
  const args = ['--objects=20', '--baseline=20', '--events=200', '--connections=2', '--rounds=1', '--seconds=0.2', '--warm-up=0.1', `--json=${json}`]
  // Without what a test runner asks of every child.
  const { stdout, stderr } = await promisify(execFile)('/usr/bin/env', ['-u', 'NODE_OPTIONS', process.execPath, 'dist/bench/query/main.js', ...args])
  t.match(stdout, /^\| +20 \| +2 \| +\d+\.\d\d \|/m)
  t.match(stderr, /round 1 of 1, objects: 20, connections: 2: p50 /)
  const { figures: [{ rounds: [figures] }] } = JSON.parse(await readFile(json, 'utf8')) as { figures: [{ rounds: [Figures] }] }
  for (const [name, value] of Object.entries(figures)) t.ok(value > 0 || name === 'loopDelayP99Ms' || name === 'gone', `${name}: ${value}`)
  t.ok(figures.p50Ms <= figures.p99Ms)
})

void t.test('every query finds a server that stays, and each server has its own name', t => {
  const spread = spreadOf(1000)
  const servers = Array.from({ length: 1000 }, (_, number) => gameServer(number, spread))
  t.equal(new Set(servers.map(({ metadata }) => metadata.name)).size, servers.length)
  const fixed = servers.filter((server, number) => isFixed(number, spread) && (server['status'] as { state: string }).state === 'Allocated')
  const found = new Set(fixed.map(({ metadata: { labels } }) => JSON.stringify([labels!['agones.dev/fleet'], labels!['map']])))
  const asked = queriesFor(spread).map(body => JSON.parse(body) as { labelSelector: Record<string, string> })
  t.ok(asked.length > 10)
  for (const { labelSelector } of asked) t.ok(found.has(JSON.stringify(Object.values(labelSelector))), JSON.stringify(labelSelector))
  const bytes = servers.map(server => JSON.stringify(server).length)
  t.ok(Math.min(...bytes) >= 3000 && Math.max(...bytes) <= 6000, 'as large as those of Agones')
  t.end()
})

void t.test('options are read, and faults told', t => {
  const options = readOptions(['--connections', '1,20', '--seconds', '0.5'])
  t.match(options, { ok: true, value: { objects: 10_000, connections: [1, 20], seconds: 0.5, json: undefined } })
  t.same(readOptions(['--help']), { ok: true, value: undefined })
  const faults: ReadonlyArray<readonly [args: string[], fault: RegExp]> = [
    [['--object=1'], /--object/],
    [['--objects=1e9x'], /--objects takes whole numbers from 8 on, not "1e9x"/],
    [['--rounds=1.5'], /whole numbers/],
    [['--seconds=0'], /--seconds takes numbers from 0.1 on/],
    [['--connections=1,,2'], /--connections/]
  ]
  for (const [args, fault] of faults) t.match(readOptions(args), { ok: false, error: fault }, args.join(' '))
  t.end()
})

void t.test('percentiles, medians and ratios', t => {
  const hundred = Float64Array.from({ length: 100 }, (_, index) => index + 1)
  t.same([percentile(hundred, 50), percentile(hundred, 99), percentile([7], 99), percentile([], 50)], [50, 99, 7, NaN])
  t.same([median([3, 1, 2]), median([4, 1, 2, 3]), median([])], [2, 2.5, NaN])
  const figures = (ms: number): Figures => ({ p50Ms: ms, p99Ms: 2 * ms, queriesPerSecond: 1000 / ms, loopDelayP99Ms: 1, residentMegabytes: 100 * ms, cpuPercent: 50, eventsPerSecond: 10, gone: 0 })
  const measured = [{ objects: 1000, connections: 1, rounds: [3, 1, 2].map(figures) }, { objects: 10, connections: 1, rounds: [figures(1)] }]
  const [head = '', rule = '', large = ''] = tableOf(measured).split('\n')
  t.equal(head.length, rule.length)
  t.same(large.split('|').map(cell => cell.trim()).slice(1, 6), ['1000', '1', '2.00', '4.00', '500'])
  t.match(large, / 300 /, 'the largest memory of all rounds')
  t.match(ratiosOf(measured, { objects: 1000, baseline: 10 }), [/connections: 1: p50 × 2.00, p99 × 2.00, queries\/s × 0.50/])
  t.end()
})
