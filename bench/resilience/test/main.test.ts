// The benchmark of restarts and floods, as far as a test can say: its parts work together, every datagram of a flood is
// accounted for, and what must not be is told. No figure is judged.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { platform, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { balance } from '../../forward/ledger.js'
import type { FloodFigures } from '../flood.js'
import { readOptions } from '../options.js'
import { reportOf, type FloodOutcome, type RestartOutcome } from '../report.js'
import type { RestartFigures } from '../restart.js'

void t.test('a short run kills, floods, and writes its tables and figures', { skip: platform() === 'linux' ? false : 'for Linux only' }, async t => {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'))
  t.teardown(async () => { await rm(folder, { recursive: true }) })
  const json = join(folder, 'figures.json')
  const args = ['--only=proxy,flood-default', '--sessions=20', '--rate=200', '--rounds=1', '--seconds=0.2', '--flood=300', '--flood-rate=1000', '--flood-sessions=5', `--json=${json}`]
  // Without what a test runner asks of every child.
  const { stdout } = await promisify(execFile)('/usr/bin/env', ['-u', 'NODE_OPTIONS', process.execPath, 'dist/bench/resilience/main.js', ...args])
  t.match(stdout, /^\| +proxy \| +\d+ \|.*\| +20 of 20 \| +20 \| +0 \|$/m)
  t.match(stdout, /^\| +yes \| +300 \| +\d+ \| +5 of 5 \|/m)
  const { restarts: [{ rounds }], floods: [{ figures }] } = JSON.parse(await readFile(json, 'utf8')) as { restarts: [RestartOutcome], floods: [FloodOutcome] }
  t.ok(rounds[0]!.firstForwardedMs > 0)
  t.equal(figures.ledger.missing, 0, 'every datagram is accounted for')
  t.equal(figures.flooded, 300)
  t.ok(figures.defaultSessions > 0)
})

void t.test('options are read, and faults told', t => {
  t.match(readOptions([]), { ok: true, value: { kinds: ['proxy', 'control', 'both', 'flood', 'flood-default'], sessions: 1000, perSecond: 20_000, flood: 1_000_000, floodPerSecond: undefined, json: undefined } })
  t.match(readOptions(['--only', 'flood', '--flood-rate', '5']), { ok: true, value: { kinds: ['flood'], floodPerSecond: 5 } })
  t.same(readOptions(['--help']), { ok: true, value: undefined })
  const faults: ReadonlyArray<readonly [args: string[], fault: RegExp]> = [
    [['--only=all'], /--only knows proxy, control, .*, not "all"/],
    [['--engine=fast'], /--engine knows batch, dgram, not "fast"/],
    [['--sessions=5000'], /--sessions takes numbers up to 4096/],
    [['--flood=5000000'], /--flood takes numbers up to 4000000/]
  ]
  for (const [args, fault] of faults) t.match(readOptions(args), { ok: false, error: fault }, args.join(' '))
  t.end()
})

void t.test('the report has medians, and says what must not be', t => {
  const round: RestartFigures = { sent: 100, lost: 10, lostInProxy: 1, kernelDrops: 0, repliesLost: 0, misdelivered: 0, firstForwardedMs: 500, silenceMs: 501, sessionsContinued: 8, portsKept: 8 }
  const flood: FloodFigures = {
    flooded: 100, perSecond: 1000, playersSent: 50, playersLost: 2, kernelDrops: 2, tokenSessions: 4, defaultSessions: 3, residentMegabytes: 90, peakMegabytes: 91, ledger: balance(150, 51, { no_session: 97, receive_drops: 2 })
  }
  const restarts: RestartOutcome[] = [{ kind: 'proxy', sessions: 8, rounds: [round, { ...round, firstForwardedMs: 700 }, { ...round, firstForwardedMs: 900, lost: 30 }] }]
  const sound = reportOf(restarts, [{ hasDefault: false, sessions: 4, figures: flood }])
  t.match(sound, /^\| +proxy \| +700 \| +900 \| +501 \| +100 \| +10 \| +30 \|.*\| +8 of 8 \| +8 \| +0 \|$/m)
  t.match(sound, /^- without a default endpoint: 150 sent = 51 received \+ 97 \(no_session\) \+ 2 \(receive_drops\)$/m)
  t.notMatch(sound, /FAULT/)
  const bad: RestartFigures = { ...round, lost: 1, sessionsContinued: 7, portsKept: 6, misdelivered: 1 }
  const faulty = reportOf([{ kind: 'control', sessions: 8, rounds: [bad] }], [
    { hasDefault: true, sessions: 5, figures: { ...flood, playersLost: 3, peakMegabytes: 300, ledger: balance(150, 51, { no_session: 98 }) } }
  ])
  t.same(faulty.split('\n').filter(line => line.startsWith('FAULT')), [
    'FAULT: control, round 1: 1 sessions did not go on',
    'FAULT: control, round 1: 2 sessions came from another port',
    'FAULT: control, round 1: 1 replies went to somebody else',
    'FAULT: control, round 1: 1 datagrams were lost, and the kernel dropped 0',
    'FAULT: flood with a default endpoint: 1 sessions ended',
    'FAULT: flood with a default endpoint: 1 datagrams are not accounted for',
    'FAULT: flood with a default endpoint: 3 datagrams of players were lost, and the kernel dropped 2',
    'FAULT: flood with a default endpoint: 300 MB are more than 268'
  ])
  t.end()
})
