// The benchmark of forwarding, as far as a test can say: its parts work together, every datagram is accounted for, and its
// arithmetic is right. No figure is judged.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { platform, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { chartOf } from '../chart.js'
import { clientAddress, targetCount, targetsAt } from '../endpoints.js'
import type { Measured, Outcome } from '../experiments.js'
import { balance, dropsSince, ledgerLine, total, type Ledger } from '../ledger.js'
import { readOptions } from '../options.js'
import { reportOf } from '../report.js'

void t.test('a short run accounts for every datagram, and writes its tables, figures and chart', { skip: platform() === 'linux' ? false : 'for Linux only' }, async t => {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'))
  t.teardown(async () => { await rm(folder, { recursive: true }) })
  const [json, svg] = [join(folder, 'figures.json'), join(folder, 'chart.svg')]
  const args = ['--only=saturation,tokens', '--forwarders=direct,dgram', '--clients=3', '--bytes=64', '--rounds=1', '--seconds=0.05', '--round-trips=200', '--pushes=100', `--json=${json}`, `--svg=${svg}`]
  // Without what a test runner asks of every child.
  const { stdout, stderr } = await promisify(execFile)('/usr/bin/env', ['-u', 'NODE_OPTIONS', process.execPath, 'dist/bench/forward/main.js', ...args])
  t.match(stdout, /^\| +dgram \| +\d+ \| +\d+\.\d\d \| +\d+ \|$/m)
  t.match(stderr, /saturation, 3 clients, 64 bytes, round 1 of 1: dgram: deliveredPerSecond /)
  const { outcomes } = JSON.parse(await readFile(json, 'utf8')) as { outcomes: Outcome[] }
  t.same(outcomes.map(({ experiment, measured }) => [experiment.kind, measured.map(({ label }) => label)]), [['saturation', ['direct', 'dgram']], ['tokens', ['dgram']]])
  // What is missing depends on when a busy machine got round to the last datagrams; the arithmetic does not.
  for (const { label, ledgers } of outcomes.flatMap(({ measured }) => measured)) {
    for (const ledger of ledgers) t.ok(ledger.sent > 0, `${label}: ${ledgerLine(ledger)}`)
  }
  const received = outcomes.flatMap(({ measured }) => measured).filter(({ ledgers }) => ledgers.length > 0).map(({ ledgers }) => total(ledgers).received)
  t.ok(received.length === 2 && received.every(count => count > 0), `received: ${received.join(', ')}`)
  t.match(await readFile(svg, 'utf8'), />dgram</)
})

void t.test('a ledger balances, or says what is missing', t => {
  t.same(balance(10, 7, { 'forwarder\'s sockets': 3, 'to_target oversize': 0 }), { sent: 10, received: 7, drops: { 'forwarder\'s sockets': 3 }, missing: 0 })
  const off = balance(10, 7, dropsSince({ a: 1 }, { a: 2, b: 1 }))
  t.equal(ledgerLine(off), '10 sent ≠ 7 received + 1 (a) + 1 (b): 1 not accounted for')
  t.equal(ledgerLine(total([off, balance(5, 4, { b: 1 })])), '15 sent ≠ 11 received + 1 (a) + 2 (b): 1 not accounted for')
  t.equal(ledgerLine(balance(2, 2, {})), '2 sent = 2 received')
  t.end()
})

void t.test('every client and target has an address of its own', t => {
  t.equal(new Set(Array.from({ length: 4096 }, (_, client) => clientAddress(client))).size, 4096)
  t.equal(new Set(targetsAt(8192, 1).map(({ address }) => address)).size, 8192)
  t.same([1, 16, 17, 100_000, 1_000_000].map(targetCount), [1, 1, 2, 6250, 8192])
  t.end()
})

void t.test('options are read, and faults told', t => {
  t.match(readOptions([]), { ok: true, value: { rounds: 5, roundTrips: 20_000, json: undefined } })
  t.match(readOptions(['--only', 'loss,saturation', '--clients', '5', '--bytes', '64,256', '--forwarders', 'batch']), {
    ok: true,
    value: { experiments: [{ kind: 'saturation', clients: 5, bytes: 64, forwarders: ['batch'] }, { kind: 'saturation', bytes: 256 }, { kind: 'loss', bytes: 64 }, { kind: 'loss', bytes: 256 }] }
  })
  t.same(readOptions(['--help']), { ok: true, value: undefined })
  const faults: ReadonlyArray<readonly [args: string[], fault: RegExp]> = [
    [['--only=losses'], /--only knows saturation, loss, .*, not "losses"/],
    [['--bytes=8'], /--bytes takes whole numbers from 16 on, not "8"/],
    [['--clients=1,,2'], /--clients/],
    [['--full=yes'], /--full/]
  ]
  for (const [args, fault] of faults) t.match(readOptions(args), { ok: false, error: fault }, args.join(' '))
  t.end()
})

void t.test('the report has ratios of rounds, what is missing and why, and the ledger', t => {
  const one = (label: 'batch' | 'dgram', micros: readonly number[], ledgers: readonly Ledger[]): Measured => ({
    label, forwarder: label, clients: 64, ledgers, rounds: micros.map(cpuMicros => ({ deliveredPerSecond: 1e6 / cpuMicros, cpuMicros, busyPercent: label === 'batch' ? 100 : 50 }))
  })
  const outcome: Outcome = {
    experiment: { kind: 'saturation', clients: 64, bytes: 64, forwarders: ['dgram', 'batch', 'nginx'] },
    measured: [one('dgram', [10, 20, 30], [balance(3, 2, {})]), one('batch', [4, 10, 6], [balance(3, 3, {})])],
    absent: { nginx: 'not installed' }
  }
  const report = reportOf([outcome])
  t.match(report, /^batch ÷ dgram \(saturation, 64 clients, 64 bytes\): CPU per datagram × 0\.40$/m)
  t.match(report, /^\| +batch \| +166667 \| +6\.00 \| +100 \|$/m)
  t.match(report, /^- Used less than 90 % of a core: dgram\. /m)
  t.match(report, /^- nginx was not measured: not installed$/m)
  t.match(report, /dgram: 3 sent ≠ 2 received: 1 not accounted for \(1 of 1 measurements do not balance\)/)
  const chart = chartOf([outcome], 'a <machine>')
  t.equal(chart.match(/<rect x=/g)?.length, 2)
  t.match(chart, /a &#60;machine&#62;/)
  t.end()
})
