import { spawnSync } from 'node:child_process'
import { extname, join } from 'node:path'
import t from 'tap'
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

void t.test('stdout by default, JSON unless it is a terminal, and nothing is lost at the exit', async t => {
  const program = join(import.meta.dirname, `fixtures/log-and-exit${extname(import.meta.filename)}`)
  const { status, stdout } = spawnSync(process.execPath, [...process.execArgv, program], { encoding: 'utf8' })
  t.equal(status, 78)
  t.strictSame(stdout.trimEnd().split('\n').map(line => JSON.parse(line).line), Array.from({ length: 1001 }, (_, index) => index))
})

function bounded (): { log: ReturnType<typeof createLogger>, lines: () => Record<string, unknown>[], pass: (ms: number) => void } {
  const destination = capture()
  let now = 0
  let waiting: { at: number, callback: () => void }[] = []
  const log = createLogger({
    name: 'proxy',
    level: 'debug',
    destination,
    limits: { warningsPerSecond: 7, linesPerSecond: 200, now: () => now, after: (delayMs, callback) => { waiting.push({ at: now + delayMs, callback }) } }
  })
  const pass = (ms: number): void => {
    now += ms
    const due = waiting.filter(({ at }) => at <= now)
    waiting = waiting.filter(({ at }) => at > now)
    for (const { callback } of due) callback()
  }
  return { log, lines: () => destination.lines.splice(0).map(line => JSON.parse(line) as Record<string, unknown>), pass }
}

void t.test('every line has a bound, whatever it says, and what is left out is counted', async t => {
  const floods = {
    'warning with fields': [(log, n) => { log.warn({ client: n }, 'Something') }, 100, 7],
    'error with a stack': [(log, n) => { log.error({ err: new Error(`fault ${n}`) }, 'Something') }, 100, 7],
    'an error alone': [log => { log.error(new Error('the same')) }, 100, 7],
    'a sentence alone': [log => { log.info('Something') }, 200, 200],
    'debug, by a child': [(log, n) => { log.child({ part: n }).debug({ n }, 'Something') }, 200, 200]
  } satisfies Record<string, [(log: ReturnType<typeof createLogger>, n: number) => void, number, number]>
  for (const [name, [say, atOnce, perSecond]] of Object.entries(floods)) {
    const { log, lines, pass } = bounded()
    for (let n = 0; n < 5000; n++) say(log, n)
    t.equal(lines().length, atOnce, name)
    pass(1000)
    const told = lines()
    t.equal(told.length, 1, name)
    t.match(told[0], { msg: 'Log lines left out', leftOut: 5000 - atOnce }, name)
    for (let n = 0; n < 5000; n++) say(log, n)
    t.equal(lines().length, perSecond, name)
    pass(60_000)
    lines()
    say(log, 0)
    t.equal(lines().length, 1, `${name}: and no more once it is over`)
    pass(60_000)
    t.same(lines(), [], name)
  }
})

void t.test('causes are bounded apart: by sentence, reason, code and level; what has none of them in common does not suffer', async t => {
  const { log, lines, pass } = bounded()
  for (let n = 0; n < 1000; n++) log.warn({ reason: 'token_expired' }, 'Refused')
  for (let n = 0; n < 1000; n++) log.warn({ code: 'EMFILE' }, 'Refused')
  lines()
  log.warn({ reason: 'token_unknown' }, 'Refused')
  log.warn({ code: 'EACCES' }, 'Refused')
  log.error({ reason: 'token_expired' }, 'Refused')
  log.warn('Other')
  t.equal(lines().length, 4)
  pass(1000)
  t.same(lines().map(({ sentence, cause, leftOut }) => ({ sentence, cause, leftOut })), [
    { sentence: 'Refused', cause: 'token_expired', leftOut: 900 },
    { sentence: 'Refused', cause: 'EMFILE', leftOut: 900 }
  ])
})

void t.test('causes that somebody makes up share a bound', async t => {
  const { log, lines } = bounded()
  for (let n = 0; n < 20_000; n++) log.warn({ reason: `made up ${n}` }, 'Refused')
  t.equal(lines().length, 1000 + 100)
})

void t.test('the end of the process is always told', async t => {
  const { log, lines } = bounded()
  for (let n = 0; n < 300; n++) log.fatal({ n }, 'Unexpected error')
  t.equal(lines().length, 300)
})
