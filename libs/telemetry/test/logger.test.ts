import { spawnSync } from 'node:child_process'
import { extname, join } from 'node:path'
import t from 'tap'
import { prettyStream } from '#telemetry/pretty-stream.js'
import { createLogger } from '#telemetry/logger.js'

function capture (): { lines: string[], write: (text: string) => void } {
  const lines: string[] = []
  return { lines, write: text => { lines.push(text) } }
}

void t.test('a line is JSON with time, level by name, process and what was given', async t => {
  const destination = capture()
  const log = createLogger({ name: 'control', level: 'info', destination })
  log.info({ client: '192.0.2.1:5000' }, 'Session established')
  const { time, ...line } = JSON.parse(destination.lines[0]!)
  t.strictSame(line, { level: 'info', process: 'control', client: '192.0.2.1:5000', msg: 'Session established' })
  t.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
})

void t.test('an error keeps its stack, below the level there is silence', async t => {
  const destination = capture()
  const log = createLogger({ name: 'proxy', level: 'warn', destination })
  log.info('not said')
  log.child({ part: 'link' }).error({ err: new TypeError('boom') }, 'Unexpected error')
  t.equal(destination.lines.length, 1)
  t.match(JSON.parse(destination.lines[0]!), { level: 'error', part: 'link', err: { type: 'TypeError', message: 'boom', stack: /logger\.test/ } })
})

void t.test('the readable form says the same on one line', async t => {
  const destination = capture()
  const log = createLogger({ name: 'proxy', level: 'info', destination: prettyStream(destination) })
  log.warn({ client: '192.0.2.1:5000' }, 'Token refused')
  t.equal(destination.lines.length, 1)
  t.match(destination.lines[0], /^\[\d\d:\d\d:\d\d\.\d{3}\] WARN: proxy: Token refused \{"client":"192\.0\.2\.1:5000"\}\n$/)
})

void t.test('stdout by default, JSON unless it is a terminal, and nothing is lost at the exit', async t => {
  const program = join(import.meta.dirname, `fixtures/log-and-exit${extname(import.meta.filename)}`)
  const { status, stdout } = spawnSync(process.execPath, [...process.execArgv, program], { encoding: 'utf8' })
  t.equal(status, 78)
  t.strictSame(stdout.trimEnd().split('\n').map(line => JSON.parse(line).line), Array.from({ length: 1001 }, (_, index) => index))
})
