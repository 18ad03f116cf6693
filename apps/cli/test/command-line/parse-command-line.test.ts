import t from 'tap'
import { commandHelp, overview } from '../../src/command-line/help.js'
import { commandNames, commands } from '../../src/command-line/commands.js'
import { parseCommandLine } from '../../src/command-line/parse-command-line.js'

const parse = (line: string) => parseCommandLine(line === '' ? [] : line.split(' '))

const parsed = (line: string): any => {
  const result = parse(line)
  if (!result.ok) throw new Error(`${line}: ${result.error.message}`)
  return result.value
}

const fault = (line: string) => {
  const result = parse(line)
  if (result.ok) throw new Error(`${line} is not a fault`)
  return result.error
}

void t.test('commands and their options', async t => {
  t.same(parsed('up'), { command: 'up', isOnce: false, portOffset: undefined })
  t.same(parsed('up --once --port-offset 0'), { command: 'up', isOnce: true, portOffset: 0 })
  t.same(parsed('up --port-offset=40000'), { command: 'up', isOnce: false, portOffset: 40_000 })
  t.same(parsed('serve --config a.yaml'), { command: 'serve', config: 'a.yaml' })
  t.same(parsed('serve'), { command: 'serve', config: undefined })
  t.same(parsed('control --config=a=b'), { command: 'control', config: 'a=b' })
  t.same(parsed('proxy'), { command: 'proxy', config: undefined })
  t.same(parsed('--version'), { command: 'version' })
})

void t.test('help can be asked for everywhere, whatever else is there', async t => {
  for (const line of ['--help', '-h', 'help', 'help --help', 'help -h']) t.same(parsed(line), { command: 'help', topic: undefined }, line)
  for (const name of commandNames) {
    for (const line of [`${name} --help`, `${name} -h`, `help ${name}`]) t.same(parsed(line), { command: 'help', topic: name }, line)
  }
  t.same(parsed('up --port-offset 7 --help'), { command: 'help', topic: 'up' })
})

void t.test('the help names every command, option and example of the table', async t => {
  for (const name of commandNames) {
    t.ok(overview().includes(`  ${name}`), name)
    const help = commandHelp(name)
    for (const option of [...Object.keys(commands[name].options), 'help']) t.match(help, new RegExp(`^  --${option}\\b`, 'm'), option)
    for (const example of commands[name].examples) t.ok(help.replaceAll(/ \\\n +/g, ' ').includes(example), example)
    t.same(help.split('\n').filter(line => line.length > 80), [], 'no line is too long for a terminal')
  }
  t.same(overview().split('\n').filter(line => line.length > 80), [])
})

void t.test('every example of the help can be parsed', async t => {
  for (const example of commandNames.flatMap(name => commands[name].examples)) {
    const words = /udp-director (.*?)\)?$/.exec(example)
    t.ok(parse(words?.[1] ?? '?').ok, example)
  }
})

void t.test('what makes no sense is said in one sentence, with the word that was meant', async t => {
  const cases: ReadonlyArray<readonly [line: string, message: string, topic?: string]> = [
    ['', 'Which command?'],
    ['srve', 'There is no command srve. Did you mean serve?'],
    ['zzzzzzz', 'There is no command zzzzzzz.'],
    ['toString', 'There is no command toString.'],
    ['--versoin', 'There is no option --versoin. Did you mean --version?'],
    ['help qeury', 'There is no command qeury. Did you mean query?'],
    ['query --nope', 'query has no option --nope.', 'query'],
    ['query --lable a=b', 'query has no option --lable. Did you mean --label?', 'query'],
    ['query --namespaces a', 'query has no option --namespaces. Did you mean --namespace?', 'query'],
    ['up --onec', 'up has no option --onec. Did you mean --once?', 'up'],
    ['up --constructor', 'up has no option --constructor.', 'up'],
    ['up -o', 'up has no option -o.', 'up'],
    ['up once', 'up takes no argument "once". Did you mean --once?', 'up'],
    ['up -- once', 'up takes no argument "once". Did you mean --once?', 'up'],
    ['up --once=yes', '--once takes no value.', 'up'],
    ['up --port-offset', '--port-offset needs a value: --port-offset N', 'up'],
    ['up --port-offset --once', '--port-offset needs a value: --port-offset N', 'up'],
    ['up --port-offset=', '--port-offset needs a value: --port-offset N', 'up'],
    ['up --port-offset 40001', '--port-offset must be a whole number from 0 to 40000, not 40001.', 'up'],
    ['up --port-offset 1.5', '--port-offset must be a whole number from 0 to 40000, not 1.5.', 'up'],
    ['up --port-offset -1', '--port-offset must be a whole number from 0 to 40000, not -1.', 'up'],
    ['serve --config a --config b', '--config is given twice.', 'serve'],
    ['query --namespace a', 'query needs --type.', 'query'],
    ['query --type a', 'query needs --namespace.', 'query'],
    ['query --type a --namespace b --url localhost:9000', '--url must be an http or https URL, not localhost:9000.', 'query'],
    ['query --type a --namespace b --url nowhere', '--url must be an http or https URL, not nowhere.', 'query'],
    ['query --type a --namespace b --label map', '--label must be KEY=VALUE, not map.', 'query'],
    ['query --type a --namespace b --annotation =x', '--annotation must be KEY=VALUE, not =x.', 'query'],
    ['query --type a --namespace b --status x[?(@.a==b)]', '--status must be PATH=VALUE, not x[?(@.a==b)].', 'query'],
    ['query --type a --namespace b --status x=1 --status y=2', '--status can ask for one field only, not for x and y.', 'query']
  ]
  for (const [line, message, topic] of cases) t.same(fault(line), { message, topic }, line)
})

void t.test('a query becomes the body of POST /query', async t => {
  const { url, body, isJson } = parsed('query --type gameserver --namespace games --label map=de_dust2 --label a/b= --annotation k=v=w --status status.state=Allocated --status status.state=Ready --json')
  t.equal(url.href, 'http://127.0.0.1:9000/query')
  t.equal(isJson, true)
  t.same(body, {
    resourceType: 'gameserver',
    namespace: 'games',
    labelSelector: { map: 'de_dust2', 'a/b': '' },
    annotationSelector: { k: 'v=w' },
    statusQuery: { jsonPath: 'status.state', expectedValues: ['Allocated', 'Ready'] }
  })
  t.same(parsed('query --type a --namespace b').body, { resourceType: 'a', namespace: 'b' }, 'what was not given is not there')
  t.same(parsed('query --type a --namespace b --status p[?(@.n=="x")].port=7=7').body.statusQuery, { jsonPath: 'p[?(@.n=="x")].port', expectedValues: ['7=7'] })
  t.equal(parsed('query --type a --namespace b --url https://host/prefix/').url.href, 'https://host/prefix/query')
})
