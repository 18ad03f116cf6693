// Every target with a few inputs, always the same ones; `npm run fuzz` tries others for as long as there is time.
import t from 'tap'
import { parseConfig } from '#config/load/load-config.js'
import { compilePath } from '#jsonpath/compile-path.js'
import { LineSplitter } from '#rpc/line-splitter.js'
import { addressBlock } from '#wire/address-block.js'
import { writeAddress } from '#wire/address.js'
import { classify } from '../../apps/proxy/src/core/datagrams/classify.js'
import { Origin } from '../../apps/proxy/src/core/tables/session-table.js'
import { tokenFrom } from '../../apps/control/src/store/records.js'
import { decodeLog } from '../../apps/proxy/src/state/format/log-format.js'
import { ImageKind } from '../../apps/proxy/src/state/format/layout.js'
import { SavedImages } from '../../apps/proxy/src/state/format/saved-images.js'
import type { FuzzTarget } from '../fuzz-target.js'
import { help, readOptions } from '../options.js'
import { replayCommand, runTarget } from '../run-target.js'
import { fuzzTargets } from '../table.js'
import { config } from '../targets/config.js'
import { heldDatagrams } from '../targets/held-datagrams.js'
import { httpBodies } from '../targets/http-bodies.js'
import { jsonPath } from '../targets/json-path.js'
import { eventLines, watchLines } from '../targets/lines.js'
import { packetPath } from '../targets/packet-path.js'
import { rpcBodies } from '../targets/rpc-bodies.js'
import { stateLogs } from '../targets/state-logs.js'
import { stateRoundTrip } from '../targets/state-round-trip.js'
import { storeRecords } from '../targets/store-records.js'
import { addressBlocks, addresses, packetKinds } from '../targets/wire.js'
import { smallCore } from '#testkit/lives/core-history.js'
import { restoreOnto } from '#testkit/lives/proxy-life.js'

for (const target of fuzzTargets) {
  void t.test(`${target.name}: ${target.what}`, async t => {
    const { runs, finding } = await runTarget(target, { seed: 20_260, goesOn: () => false, runsPerRound: target.testRuns })
    t.equal(finding, undefined, finding === undefined ? 'nothing gave way' : `${finding.error.stack ?? ''}\ninput: ${finding.input}\nreplay: ${replayCommand(finding)}`)
    t.ok(runs >= target.testRuns)
  })
}

// A target that cannot fail proves nothing: each of these has a bug planted, and has to find it.
const planted: Readonly<Record<string, FuzzTarget>> = {
  'an address with a zone is read without it': addresses((text, words, offset) => writeAddress(text.replace(/%.*/, ''), words, offset)),
  'a block is a bit too wide': addressBlocks(text => addressBlock(text.replace(/\/([1-9]\d*)$/, (_, bits: string) => `/${Number(bits) - 1}`))),
  'a token may have anything behind it': packetKinds((bytes, start, end, magic, words) => classify(bytes, start, Math.min(end, start + 36), magic, words)),
  'a line with a certain byte is lost': eventLines(onLine => new LineSplitter(40, line => { if (!line.includes('!')) onLine(line) })),
  'a parser throws on what it does not like': jsonPath(text => {
    const compiled = compilePath(text)
    if (!compiled.ok && compiled.error.message.includes('closing')) throw new Error('no closing quote')
    return compiled
  }),
  'a number grows with every load': config((text, file) => parseConfig(text.replace(/^tokenTtlSeconds: (\d+)$/m, (_, seconds: string) => `tokenTtlSeconds: ${Number(seconds) + 1}`), file)),
  'what was taken is said to be stale': watchLines((intake, line) => {
    const taken = intake.take(line)
    return taken.kind === 'applied' ? { kind: 'stale' } : taken
  }),
  'what was never proxied is counted': packetPath(() => {
    const core = smallCore()
    const consume = core.packets.fromTarget.bind(core.packets)
    core.packets.fromTarget = (...args) => {
      const verdict = consume(...args)
      return verdict > 0 ? 0 : verdict
    }
    return core
  }),
  'a session forgets that it redeemed a token': stateRoundTrip((...args) => {
    const next = restoreOnto(...args)
    for (const { state: { sessions } } of next.cores) if (sessions.isLive(0)) sessions.bind(0, sessions.target(0), Origin.operator)
    return next
  }),
  'some answers have a status of their own': httpBodies(status => status === 403 ? 500 : status),
  'a handler fails on one body': rpcBodies(handlers => ({ ...handlers, pushTokens: input => { if (input.body.tokens.length > 1) throw new Error('two tokens'); return handlers.pushTokens(input) } })),
  'a target may have a port that nobody can send to': storeRecords(text => {
    const read = tokenFrom(text)
    return read.ok ? { ok: true, value: { ...read.value, target: { ...read.value.target, ports: { ...read.value.target.ports, more: 0 } } } } : read
  }),
  'what was held leaves twice': heldDatagrams(send => (...held) => {
    send(...held)
    send(...held)
  }),
  'a log is believed without a look at its images': stateLogs((storage, shards, clock) => {
    for (const name of storage.list()) if (new SavedImages(batchesOf(storage.read(name))).slots(ImageKind.session).length === 0) continue
    return restoreOnto(storage, shards, clock)
  })
}

function batchesOf (bytes: Uint8Array): readonly Uint8Array[] {
  const log = decodeLog(bytes)
  return log.ok ? log.value.batches : []
}

for (const [bug, target] of Object.entries(planted)) {
  void t.test(`${target.name} finds a planted bug: ${bug}`, async t => {
    const { finding } = await runTarget(target, { seed: 1, goesOn: rounds => rounds < 40, runsPerRound: 100 })
    t.ok(finding !== undefined)
    if (finding === undefined) return
    const replayed = await runTarget(target, { seed: finding.seed, path: finding.path, goesOn: () => false, runsPerRound: 100 })
    t.equal(replayed.finding?.input, finding.input, 'and its command replays it')
  })
}

void t.test('every target has a bug planted', async t => {
  t.strictSame(new Set(Object.values(planted).map(({ name }) => name)), new Set(fuzzTargets.map(({ name }) => name)))
})

void t.test('options are read, and faults told', async t => {
  t.match(readOptions(['--seconds', '0.5', '--target', 'config', '--seed=-7', '--path', '3:1']), { ok: true, value: { seconds: 0.5, targets: [{ name: 'config' }], seed: -7, path: '3:1' } })
  t.strictSame(readOptions(['--help']), { ok: true, value: undefined })
  for (const { name } of fuzzTargets) t.ok(help.includes(`  ${name} `), name)
  const faults: ReadonlyArray<readonly [args: string[], fault: RegExp]> = [
    [['--target', 'x'], /--target takes addresses, /],
    [['--path', '1'], /goes with --target and --seed/],
    [['--seconds', '0'], /--seconds takes numbers from 0.1 on/],
    [['--seed', 'x'], /--seed takes whole numbers/]
  ]
  for (const [args, fault] of faults) t.match(readOptions(args), { ok: false, error: fault }, args.join(' '))
})
