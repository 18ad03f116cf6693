// The Unix socket's file: who may use it, and what to do with one that was left behind.
import { chmod, stat, unlink } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import type { FastifyInstance } from 'fastify'

/** The socket cannot be opened for a reason an operator has to repair. */
export class SocketPathError extends Error {}

/** Listens on `path` with mode 0660, after `claimUnixSocket`. Throws SocketPathError. */
export async function listenOnUnixSocket (app: FastifyInstance, path: string): Promise<void> {
  await claimUnixSocket(path)
  try {
    await app.listen({ path })
    await chmod(path, 0o660)
  } catch (error) {
    throw new SocketPathError(`cannot listen on ${path} (${codeOf(error)})`, { cause: error })
  }
}

/**
 * Removes the file that a dead process left behind. If somebody answers on it, or it is not a socket, or its directory is
 * missing, this throws SocketPathError and touches nothing.
 */
export async function claimUnixSocket (path: string): Promise<void> {
  // Listening would fail with EACCES, which sends people after the wrong thing.
  const folder = await stat(dirname(path)).catch(() => undefined)
  if (folder?.isDirectory() !== true) throw new SocketPathError(`cannot listen on ${path}: there is no directory ${dirname(path)}`)
  const file = await stat(path).catch(() => undefined)
  if (file === undefined) return
  if (!file.isSocket()) throw new SocketPathError(`${path} exists and is not a socket`)
  if (await answerOn(path) === 'somebody') throw new SocketPathError(`another process answers on ${path}`)
  await unlink(path)
}

/** Whether a process listens on the socket `path`; `unknown` if that cannot be told, because it is another user's for instance. */
export async function answerOn (path: string): Promise<'somebody' | 'nobody' | 'unknown'> {
  return await new Promise(resolve => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve('somebody')
    })
    // EAGAIN: it listens, and has more callers than it has taken yet.
    socket.once('error', error => { resolve(codeOf(error) === 'ECONNREFUSED' ? 'nobody' : codeOf(error) === 'EAGAIN' ? 'somebody' : 'unknown') })
  })
}

function codeOf (error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error)
}
