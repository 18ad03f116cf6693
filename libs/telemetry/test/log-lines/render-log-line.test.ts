import t from 'tap'
import { parseLogLine } from '#telemetry/log-lines/log-line.js'
import { prettyStream } from '#telemetry/log-lines/pretty-stream.js'
import { renderLogLine } from '#telemetry/log-lines/render-log-line.js'
import { createStyle } from '#telemetry/log-lines/style.js'
import { createLogger } from '#telemetry/logger.js'

const plain = createStyle(false)

const json = (msg: string, fields: object = {}, level = 'info'): string =>
  JSON.stringify({ level, time: new Date(2024, 0, 2, 3, 4, 5, 67).toISOString(), process: 'proxy', ...fields, msg })

const render = (text: string): string => renderLogLine(parseLogLine(text)!, plain)

void t.test('a line with client and target shows the way between them', async t => {
  t.equal(render(json('Session established', { client: '127.0.0.1:5', target: '10.0.0.1:7', targetKey: 'gameserver/games/arena-1', sessionId: '0-1' })),
    '03:04:05.067  proxy    Session established   127.0.0.1:5 → arena-1 (10.0.0.1:7)  sessionId=0-1')
  t.equal(render(json('Session reset', { client: '[::1]:5', target: '[::2]:7' })), '03:04:05.067  proxy    Session reset         [::1]:5 → [::2]:7')
  t.equal(render(json('Invalid token', { client: '1.2.3.4:5', reason: 'token_consumed' }, 'warn')), '03:04:05.067  proxy    Invalid token         1.2.3.4:5  reason=token_consumed')
})

void t.test('what does not fit goes on below the message', async t => {
  const line = json('Session established', { client: '127.0.0.1:51234', target: '127.0.0.1:34567', targetKey: 'gameserver/games/arena-1', sessionId: '0-1', origin: 'token' })
  t.same(renderLogLine(parseLogLine(line)!, plain, 80).split('\n'), [
    '03:04:05.067  proxy    Session established',
    '                       127.0.0.1:51234 → arena-1 (127.0.0.1:34567)',
    '                       sessionId=0-1  origin=token'
  ])
  t.equal(renderLogLine(parseLogLine(json('Alone'))!, plain, 20), '03:04:05.067  proxy\n                       Alone', 'a part is never cut')
})

void t.test('other fields are shown by name; nothing in them can reach the terminal as a command', async t => {
  t.equal(render(json('Token issued', { target: 'gameserver/games/arena-1', none: null, count: 3, list: [1], odd: 'a b\u001b[2J' })),
    '03:04:05.067  proxy    Token issued          target=gameserver/games/arena-1  count=3  list=[1]  odd="a b\\u001b[2J"')
  t.equal(render(json('Alone')), '03:04:05.067  proxy    Alone')
})

void t.test('an error shows its stack', async t => {
  t.match(render(json('Unexpected error', { err: { type: 'Error', message: 'boom', stack: 'Error: boom\n    at x' } }, 'fatal')), /Unexpected error\n {2}Error: boom\n {6}at x$/)
  t.match(render(json('Odd', { err: { message: 'boom' } })), /Odd\n {2}boom$/)
  t.match(render(json('Odder', { err: { code: 7 } })), /Odder\n {2}\{"code":7\}$/)
})

void t.test('colours tell levels apart, and are there only if asked for', async t => {
  const colours = createStyle(true)
  const line = (level: string): string => renderLogLine(parseLogLine(json('Hey', {}, level))!, colours)
  t.equal(new Set(['fatal', 'warn', 'info', 'debug'].map(line)).size, 4)
  t.notOk(render(json('Hey', {}, 'error')).includes('\u001b'))
})

void t.test('only log lines of ours are read as such', async t => {
  for (const text of ['', 'hello', '{', '{"level":30,"time":1,"msg":"x"}', '{"level":"info"}']) t.equal(parseLogLine(text), undefined, text)
})

void t.test('a stream for people renders what a logger says, and leaves other lines alone', async t => {
  const lines: string[] = []
  const stream = prettyStream({ write: text => { lines.push(text) } })
  const log = createLogger({ name: 'proxy', level: 'info', destination: stream })
  log.warn({ client: '192.0.2.1:5000', reason: 'token_consumed' }, 'Invalid token')
  stream.write('not JSON\n')
  t.equal(lines.length, 2)
  t.match(lines[0], /^\d\d:\d\d:\d\d\.\d{3} {2}proxy {4}Invalid token {9}192\.0\.2\.1:5000 {2}reason=token_consumed\n$/)
  t.equal(lines[1], 'not JSON\n')
})
