import t from 'tap'
import { parseLogLine } from '#telemetry/log-lines/log-line.js'
import { renderLogLine } from '#telemetry/log-lines/render-log-line.js'
import { createStyle } from '#telemetry/log-lines/style.js'
import { LogView } from '../../src/output/log-view.js'

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
