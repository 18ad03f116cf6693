// What is left of processes and folders, however the one that started them ends.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { forTest } from '../../for-test.js'
import { openFolder } from '../../folder.js'
import { until } from '../../patience.js'
import { isAlive, startChild } from '../../processes/child.js'
import { startNode } from '../../processes/node-program.js'
import { runProgram } from '../../processes/run-program.js'

const script = join(import.meta.dirname, 'spawning.js')

for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT'] as const) {
  void t.test(`a test that is ended by ${signal} leaves no process of ours behind, and the next one removes its folder`, async t => {
    const { path: TMPDIR } = await forTest(t, openFolder())
    const env = { ...process.env, NODE_OPTIONS: '', TMPDIR }
    let said = ''
    const playing = startChild('a test', '/usr/bin/env', ['-u', 'NODE_OPTIONS', process.execPath, script], { env, stdout: text => { said += text } })
    await until(() => said.endsWith('\n') || !playing.isRunning(), { what: playing.output })
    const { pids, folder } = JSON.parse(said) as { pids: number[], folder: string }
    t.ok(pids.every(isAlive))
    playing.kill(signal)
    await until(() => !pids.some(isAlive))
    t.equal(await playing.ended, signal)
    const opening = 'const { openFolder } = await import(process.argv[1]); openFolder()'
    await runProgram('/usr/bin/env', ['-u', 'NODE_OPTIONS', process.execPath, '--input-type=module', '--eval', opening, join(import.meta.dirname, '../../folder.js')], { env })
    t.notOk(existsSync(folder))
    t.same(readdirSync(TMPDIR).filter(name => name.startsWith('udp-director-')), [], 'nor does the next one leave its own')
  })
}

void t.test('a program that cannot be started says so, and one that fails shows its last words', async t => {
  const missing = startChild('nothing', '/nowhere/at/all', [])
  t.ok((await missing.ended) as number < 0)
  t.match(missing.output(), /ENOENT/)
  t.notOk(missing.isRunning())
  await t.rejects(runProgram('/nowhere/at/all', []), /ENOENT/)
  t.match(await runProgram('/bin/sh', ['-c', 'echo out; echo err >&2; exit 3']), { code: 3, stdout: 'out\n', stderr: 'err\n' })
  const failing = startNode('failing', join(import.meta.dirname, 'no-such-script.js'), { env: {} })
  await t.rejects(failing.line('Proxy listening'), /failing: no "Proxy listening": it ended with 1\n[^]*Cannot find module/)
})
