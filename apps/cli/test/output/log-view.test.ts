import t from 'tap'
import { parseLogLine } from '../../src/output/log-line.js'
import { LogView } from '../../src/output/log-view.js'
import { renderLogLine } from '../../src/output/render-log-line.js'
import { createStyle } from '../../src/output/style.js'

const plain = createStyle(false)

const json = (msg: string, fields: object = {}, level = 'info'): string =>
  JSON.stringify({ level, time: new Date(2024, 0, 2, 3, 4, 5, 67).toISOString(), process: 'proxy', ...fields, msg })

const render = (text: string): string => renderLogLine(parseLogLine(text)!, plain)

const stdout = (text: string) => ({ stream: 'stdout', text }) as const

function setUp (isTerminal: boolean): { view: LogView, out: string[], err: string[] } {
  const out: string[] = []
  const err: string[] = []
  const view = new LogView({ isTerminal, style: plain, out: text => { out.push(text); return undefined }, err: text => { err.push(text) } })
  return { view, out, err }
}

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

void t.test('what is no log line of ours is not taken for one', async t => {
  for (const text of ['', 'hello', '{', '{"level":30,"time":1,"msg":"x"}', '{"level":"info"}']) t.equal(parseLogLine(text), undefined, text)
})

void t.test('a closed view keeps lines back; opened, it shows a program all and a person what is unusual', async t => {
  const program = setUp(false)
  void program.view.take(stdout(json('One')))
  t.same(program.out, [])
  program.view.open()
  void program.view.take(stdout(json('Two')))
  t.same(program.out, [`${json('One')}\n`, `${json('Two')}\n`], 'as they were written')

  const person = setUp(true)
  void person.view.take(stdout(json('One')))
  void person.view.take(stdout(json('Careful', {}, 'warn')))
  void person.view.take({ stream: 'stderr', text: 'a warning of Node' })
  person.view.open()
  void person.view.take(stdout(json('Two')))
  void person.view.take(stdout('not JSON'))
  t.same(person.out, [`${render(json('Careful', {}, 'warn'))}\n`, `${render(json('Two'))}\n`, 'not JSON\n'])
  t.same(person.err, ['a warning of Node\n'])
})

void t.test('what was kept back can be looked at when something went wrong, the latest 200 lines of it', async t => {
  const { view } = setUp(false)
  for (let number = 0; number < 250; number++) void view.take(stdout(`line ${number}`))
  const lines = view.heldText().split('\n')
  t.equal(lines.length, 201)
  t.equal(lines[0], 'line 50')
  t.equal(lines[199], 'line 249')
  view.open()
  t.equal(view.heldText(), '')
})
