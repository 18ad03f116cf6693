// README.md taken at its word: the lines to paste against the demo, the clients of examples/, the configuration against
// `serve`. Only ports are replaced, because another director may be running on this machine.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { claimDemoPorts } from '#testkit/demo-ports.js'
import { callHttp } from '#testkit/director/http.js'
import { eventually } from '#testkit/patience.js'
import { claimPort } from '#testkit/ports.js'
import { startChild, type Child } from '#testkit/processes/child.js'
import { programs, root } from '#testkit/processes/node-program.js'
import { runProgram, type Finished } from '#testkit/processes/run-program.js'
import { isToken } from '#wire/token.js'
import { pathOf, same, type Checks, type Suite } from '../checks.js'

export const readme: Suite = {
  name: 'README: its lines, run',
  needs: ['curl', 'nc', 'python3'],
  run: async (checks, folder) => {
    const text = await readFile(join(root, 'README.md'), 'utf8')
    const { offset } = await claimDemoPorts()
    const demo = startChild('demo', process.execPath, [programs.cli, 'up', '--port-offset', String(offset)])
    await untilReady(demo, `http://127.0.0.1:${9000 + offset}`)
    await checkDemo(checks, text, offset)
    await demo.end()
    await checkConfiguration(checks, text, folder)
  }
}

async function checkDemo (checks: Checks, text: string, offset: number): Promise<void> {
  const byHand = text.slice(text.indexOf('### By hand'), text.indexOf('## A short client'))
  const [script, expected] = [block(byHand, 'sh'), block(byHand, '')]
  await checks.check('curl and nc by hand get the answers the README shows', async () => {
    const shifted = script.replaceAll(/\b(?:9000|7777)\b/g, port => String(Number(port) + offset))
    succeeded(await runProgram('/bin/sh', ['-euc', shifted]), expected)
  })
  const place = ['127.0.0.1', String(9000 + offset)]
  await checks.check('the Node client gets an answer', async () => {
    succeeded(await runProgram(process.execPath, [join(root, 'examples/client.mjs'), ...place]), 'arena-1: hello\n')
  })
  await checks.check('a client whose director is silent gives up and says so', async () => {
    const silent = createServer(() => undefined)
    await new Promise<void>(resolve => { silent.listen(0, '127.0.0.1', resolve) })
    const silentPort = String((silent.address() as AddressInfo).port)
    const clients: ReadonlyArray<readonly [string, string]> = [[process.execPath, 'examples/client.mjs'], [pathOf('python3'), 'examples/client.py']]
    const ends = await Promise.all(clients.map(async ([program, path]) => await runProgram(program, [join(root, path), '127.0.0.1', silentPort])))
    silent.closeAllConnections()
    silent.close()
    for (const { code, stderr } of ends) if (code !== 1 || !/^127\.0\.0\.1 did not .*\n$/.test(stderr)) throw new Error(`it ended with ${String(code)}: ${stderr}`)
  })
  await checks.check('the Python client gets an answer', async () => {
    succeeded(await runProgram(pathOf('python3'), [join(root, 'examples/client.py'), ...place]), 'arena-1: hello\n')
  })
}

async function checkConfiguration (checks: Checks, text: string, folder: string): Promise<void> {
  let queryPort = 0
  let director: Child | undefined
  await checks.check('the example configuration and inventory start a director', async () => {
    const [query, admin, game, voice] = (await Promise.all([1, 2, 3, 4].map(claimPort))).map(({ port }) => port) as [number, number, number, number]
    for (const yaml of blocks(text, 'yaml')) await writeExample(folder, shiftPorts(yaml, { 9000: query, 9090: admin, 7777: game, 7778: voice }))
    director = startChild('director', process.execPath, [programs.cli, 'serve', '--config', join(folder, 'config.yaml')], { env: { ...process.env, UDP_DIRECTOR_SOCKET: join(folder, 'proxy.sock') } })
    await untilReady(director, `http://127.0.0.1:${query}`)
    queryPort = query
  })
  await checks.check('the query line prints a token for it', async () => {
    const line = blocks(text, 'sh').find(candidate => candidate.startsWith('node dist/apps/cli/src/main.js query'))
    if (line === undefined) throw new Error('the README has no such line')
    const { stdout, stderr } = await runProgram('/bin/sh', ['-euc', `${line.trim()} --url http://127.0.0.1:${queryPort}`], { cwd: root })
    if (!isToken(stdout.trim())) throw new Error(`it printed ${stdout}${stderr}`)
  })
  await director?.end()
}

/** Writes a YAML block to the path that its first line names: `# config.yaml`. */
async function writeExample (folder: string, yaml: string): Promise<void> {
  const name = /^# (\S+\.yaml)\n/.exec(yaml)?.[1]
  if (name === undefined) throw new Error(`a YAML block does not name its file: ${yaml.slice(0, 40)}`)
  await mkdir(dirname(join(folder, name)), { recursive: true })
  await writeFile(join(folder, name), yaml)
}

function shiftPorts (text: string, ports: Readonly<Record<string, number>>): string {
  return text.replaceAll(/\b\d{4}\b/g, port => String(ports[port] ?? port))
}

/** The fenced blocks of a language, in order. */
function blocks (text: string, language: string): string[] {
  const fences = /^```(\w*)\n(.*?)^```$/gms
  return [...text.matchAll(fences)].filter(match => match[1] === language).map(match => match[2] ?? '')
}

function block (text: string, language: string): string {
  const [first] = blocks(text, language)
  if (first === undefined) throw new Error(`the README has no block "${language}" where one is expected`)
  return first
}

function succeeded ({ code, stdout, stderr }: Finished, expected: string): void {
  if (code !== 0) throw new Error(`it ended with ${String(code)}: ${stdout}${stderr}`)
  same(stdout, expected, 'what it printed')
}

/** Waits until the director at `url` answers queries; throws, with what it wrote, when it ends or takes too long. */
async function untilReady (director: Child, url: string): Promise<void> {
  const isReady = await eventually(async () => {
    if (!director.isRunning()) return false
    return (await callHttp(url, 'GET', '/readyz')).status === 200 ? true : undefined
  }, { what: director.output, mayFail: true, pollMs: 50 })
  if (!isReady) throw new Error(`${director.name} has ended:\n${director.output()}`)
}
