// Files and requests of the tests of authentication.
import { mkdtemp, rm, symlink, rename, mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { TypedApp } from '../../../src/http/listener/listener.js'
import { POLL_MS } from '../../../src/files/followed-file.js'
import { eventually, type Rig } from '#testkit/control-rig.js'

export async function makeFolder (t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'auth-'))
  t.teardown(async () => { await rm(folder, { recursive: true }) })
  return folder
}

/**
 * A mounted Secret: files are links into ..data, which is a link to a directory of the current version, replaced whole
 * (kubernetes.io/docs/concepts/configuration/secret, atomic writer of the kubelet).
 */
export class MountedSecret {
  readonly #folder: string
  #version = 0

  constructor (folder: string) {
    this.#folder = folder
  }

  async put (name: string, content: string): Promise<string> {
    const version = `..version-${this.#version++}`
    await mkdir(join(this.#folder, version))
    await writeFile(join(this.#folder, version, name), content)
    await symlink(version, join(this.#folder, '..data_tmp'))
    await rename(join(this.#folder, '..data_tmp'), join(this.#folder, '..data'))
    const file = join(this.#folder, name)
    if (this.#version === 1) await symlink(join('..data', name), file)
    else await rm(join(this.#folder, `..version-${this.#version - 2}`), { recursive: true })
    return file
  }
}

export interface Told {
  readonly status: number
  readonly code: string | undefined
  readonly challenge: string | undefined
}

/** A request with this Authorization header. */
export async function knock (app: TypedApp, authorization: string | undefined, url = '/query', body: object = { resourceType: 'gameserver', namespace: 'game-servers' }): Promise<Told> {
  const answer = await app.inject({
    method: url === '/query' || url === '/tokens' ? 'POST' : 'GET',
    url,
    ...(url === '/query' || url === '/tokens' ? { payload: body } : {}),
    headers: authorization === undefined ? {} : { authorization }
  })
  const isProblem = answer.headers['content-type']?.toString().startsWith('application/problem') === true
  return { status: answer.statusCode, code: isProblem ? answer.json<{ code: string }>().code : undefined, challenge: answer.headers['www-authenticate']?.toString() }
}

/** Whether it is let in, to a path that does not exist: nothing but the guards has a say. */
export async function isLetIn (app: TypedApp, credentials: string): Promise<boolean> {
  const { status } = await knock(app, `Bearer ${credentials}`, '/nonsense')
  if (status !== 404 && status !== 401) throw new Error(`Status ${status}`)
  return status === 404
}

/** Lets files be looked at until as many lines with this message are there. */
export async function readUntil ({ clock, logged }: Rig, msg: string, times: number): Promise<void> {
  clock.advance(POLL_MS)
  await eventually(() => logged.filter(line => line.msg === msg).length >= times)
}
