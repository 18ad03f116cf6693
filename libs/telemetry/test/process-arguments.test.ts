import t from 'tap'
import { usageFor } from '#telemetry/process-arguments.js'

void t.test('without arguments a process runs, also one that its parent holds', async t => {
  t.equal(usageFor('control', []), undefined)
  t.equal(usageFor('control', ['--end-with-parent']), undefined)
})

void t.test('asked for help it says what it reads; other arguments it cannot follow', async t => {
  const help = usageFor('proxy', ['--help'])
  t.match(help, { exitCode: 0, text: /^Usage: CONFIG_PATH=config\.yaml npm run proxy\n/ })
  for (const name of ['CONFIG_PATH', 'LOG_LEVEL', 'UDP_DIRECTOR_SOCKET', 'UDP_DIRECTOR_STATE']) t.match(help?.text, new RegExp(`  ${name} +default: `))
  t.match(usageFor('control', ['-h'])?.text, / NODE_NAME +see advertise in docs\/config\.md\n/)
  t.notMatch(help?.text, /NODE_NAME/, 'the proxy does not care')
  t.match(usageFor('control', ['--end-with-parent', '--config', 'x']), { exitCode: 64, text: /^control takes no argument --config\.\nUsage: / })
})
