import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { until } from '../patience.js'

const fixture = fileURLToPath(new URL('./fixtures/spawning.js', import.meta.url))

const config = `
bindAddress: 127.0.0.1
dataPorts: [{ name: default, port: 0 }]
inventory: { provider: file, path: . }
resourceQueryMapping:
  gameserver: { group: agones.dev, resource: gameservers, addressPath: status.address, portName: default }
`

function isAlive (pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

void t.test('a test that is killed leaves no process of ours behind', async t => {
  // Short, because a Unix socket goes into it.
  const folder = mkdtempSync(join(tmpdir(), 'held-'))
  t.teardown(() => { rmSync(folder, { recursive: true }) })
  writeFileSync(join(folder, 'config.yaml'), config)
  const child = spawn(process.execPath, [fixture, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  const pid = Number(String((await once(child.stdout, 'data'))[0]))
  t.ok(isAlive(pid))
  child.kill('SIGKILL')
  await until(() => !isAlive(pid))
})
