import t from 'tap'
import { systemClock } from '#core/system-clock.js'
import { createStyle } from '#telemetry/log-lines/style.js'
import { createFakeClock } from '#testkit/fake-clock.js'
import { metricValue } from '../../src/demo/metrics-text.js'
import { expectEqual, StepReport } from '../../src/demo/step-report.js'
import { walkThrough } from '../../src/demo/walk-through.js'
import { openFakeDirector, sabotages, type Sabotage } from './fake-director.js'

function createReport (isTerminal = false): { report: StepReport, text: () => string, advance: (ms: number) => void } {
  const clock = createFakeClock()
  let text = ''
  const report = new StepReport({ clock, isTerminal, style: createStyle(false), out: more => { text += more; return undefined } })
  return { report, text: () => text, advance: clock.advance }
}

async function walk (sabotage: Sabotage): Promise<{ isGood: boolean, text: string }> {
  const { report, text } = createReport()
  const { demo, close } = await openFakeDirector(sabotage)
  try {
    await walkThrough(demo, { ...systemClock, after: (ms, run) => systemClock.after(Math.min(ms, 300), run) }, report.step)
  } catch {
    // The report has it.
  } finally {
    close()
  }
  return { isGood: report.isGood, text: text() }
}

void t.test('a director that does everything right passes every step', async t => {
  const { isGood, text } = await walk(undefined)
  t.ok(isGood, text)
  t.equal(text.match(/^ok /gm)?.length, 11)
  for (const line of text.split('\n')) t.ok(line.length <= 80, `fits a terminal of 80 columns: ${line}`)
})

// The step that must notice, by a word of its name.
const noticedBy: Record<typeof sabotages[number], RegExp> = {
  'inventory incomplete': /FAIL.*The director is up.*\n.*game servers in the inventory: expected 3, got 2/,
  'no default target': /FAIL.*The director is up/,
  'query fails': /FAIL.*A query for an Allocated.*\n.*expected 200, got 404: .*NO_MATCHING_RESOURCE/,
  'same token again': /FAIL.*another token/,
  'token forwarded': /FAIL.*The token, then data/,
  'default silent': /FAIL.*A client without a token.*\n.*the answer to "anyone there\?": expected "lobby: anyone there\?", got nothing/,
  'session unlisted': /FAIL.*The session list names the player/,
  'reset ignored': /FAIL.*A reset moves/,
  'session replaced': /FAIL.*A reset moves.*\n.*the id of the session/,
  'retransmit forwarded': /FAIL.*The token sent once more/,
  'thief let in': /FAIL.*A stolen token/,
  'thief moves player': /FAIL.*A stolen token/,
  'session too many': /FAIL.*The session list shows three/,
  'counter stuck': /FAIL.*Every metric.*\n.*udp_director_packets_dropped_total: expected 1, got 0/,
  'no metrics': /FAIL.*Every metric/
}

for (const sabotage of sabotages) {
  void t.test(`the walk-through notices: ${sabotage}`, async t => {
    const { isGood, text } = await walk(sabotage)
    t.notOk(isGood)
    t.match(text, noticedBy[sabotage])
    t.equal(text.match(/FAIL/g)?.length, 1, 'it ends there')
  })
}

void t.test('a director that cannot be reached fails the first step', async t => {
  const { report, text } = createReport()
  const { demo, close } = await openFakeDirector(undefined)
  close()
  await t.rejects(walkThrough(demo, systemClock, report.step))
  t.match(text(), /FAIL.*The director is up.*\n.*ECONNREFUSED/)
  t.equal(await demo.http.isReady(), false)
})

void t.test('steps are shown with their time and added up', async t => {
  const terminal = createReport(true)
  t.equal(await terminal.report.step('One', async () => { terminal.advance(12.34); return 1 }), 1)
  await t.rejects(terminal.report.step('Two', async () => { expectEqual('x', { a: 1 }, { a: 2 }) }), /x: expected {"a":2}, got {"a":1}/)
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- what a library might do
  await t.rejects(terminal.report.step('Three', async () => { throw 'text' }))
  terminal.report.close()
  t.equal(terminal.text(), [
    '✓   12.3 ms  One',
    '✗    0.0 ms  Two',
    '              x: expected {"a":2}, got {"a":1}',
    '✗    0.0 ms  Three',
    '              text',
    '',
    '1 passed, 2 failed in 12 ms',
    ''
  ].join('\n'))
})

void t.test('counters are found by name and labels, and added up', async t => {
  const text = '# TYPE a counter\na{x="1",y="2"} 3\na{x="1",y="3"} 4.5\nab 7\nb 1e3 1700000000\n'
  t.equal(metricValue(text, 'a'), 7.5)
  t.equal(metricValue(text, 'a', { x: '1', y: '2' }), 3)
  t.equal(metricValue(text, 'a', { x: '2' }), 0)
  t.equal(metricValue(text, 'b'), 1000)
  t.equal(metricValue(text, 'c'), 0)
})
