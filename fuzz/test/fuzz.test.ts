// Every target with a few inputs, always the same ones; `npm run fuzz` tries others for as long as there is time.
import t from 'tap'
import { replayCommand, runTarget } from '../run-target.js'
import { fuzzTargets } from '../table.js'

for (const target of fuzzTargets) {
  void t.test(`${target.name}: ${target.what}`, async t => {
    const { runs, finding } = await runTarget(target, { seed: 20_260, goesOn: () => false, runsPerRound: target.testRuns })
    t.equal(finding, undefined, finding === undefined ? 'nothing gave way' : `${finding.error.stack ?? ''}\ninput: ${finding.input}\nreplay: ${replayCommand(finding)}`)
    t.ok(runs >= target.testRuns)
  })
}
