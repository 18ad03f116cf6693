// Whose the state logs of a path are: two proxies that had the same ones would remove each other's. Their owner listens on a
// Unix socket beside them. It dies with its process whatever ends that, and is found from other containers and network
// namespaces, where process numbers mean nothing and abstract sockets are others.
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { basename, dirname, join } from 'node:path'
import type { Clock } from '#core/clock.js'
import { answerOn } from '../unix-sockets/unix-socket.js'
import { READ_WAIT_MS, readFormerState, type FormerState, type StateVoice } from './former-state.js'
import { savedFilesAt, within } from './files/saved-files.js'

/** Another process has the state logs. */
export class StateClaimedError extends Error {}

export interface ClaimedState {
  readonly former: FormerState
  /** To be called when nothing is written any more. */
  readonly release: () => Promise<void>
}

type ClaimClock = Pick<Clock, 'boot' | 'wallNow' | 'after'>

// Of the directory, as a log's own would be: clients and tokens are in it.
const DIRECTORY_MODE = 0o700

// unix(7): sun_path has 108 bytes with its end on Linux, 104 elsewhere. A longer one may be cut off silently.
const MAX_PATH_BYTES = 103

/** Claims the logs of `path`, then reads them. Throws StateClaimedError, and has touched nothing of the other's. */
export async function readClaimedState (path: string, dataPortNames: readonly string[], voice: StateVoice, clock: ClaimClock): Promise<ClaimedState> {
  const claiming = claimState(path, voice, clock)
  const files = savedFilesAt(path)
  // One wait for both: a disk that hangs is not waited for twice.
  const read: typeof files.read = async () => {
    await claiming.catch(() => undefined)
    return await files.read()
  }
  const former = await readFormerState(path, dataPortNames, voice, clock, { ...files, read })
  return { former, release: await claiming }
}

/**
 * Resolves with what gives the claim up. Where nothing can be written there is nothing to claim either: a proxy without a
 * log of its own removes none.
 */
export async function claimState (path: string, { log }: StateVoice, clock: Pick<Clock, 'after'>): Promise<() => Promise<void>> {
  const own = `${ownersOf(path).prefix}${randomBytes(4).toString('hex')}${SUFFIX}`
  // A socket is bound on this thread, which must not hang with the disk: another one tries first whether it takes a file.
  if (await within(READ_WAIT_MS, clock, takesFiles(path)) !== true) return async () => {}
  const server = await listenOn(join(dirname(path), own)).catch((error: unknown) => {
    log('warn', { err: error, path }, 'State logs cannot be claimed, a second proxy on them would not be noticed')
  })
  if (server === undefined) return async () => {}
  const release = async (): Promise<void> => {
    await new Promise<void>(resolve => { server.close(() => { resolve() }) })
  }
  // Each has its own socket first and looks then: of two that start at once, one sees the other at least.
  if (await within(READ_WAIT_MS, clock, isOwnedBesides(path, own)) !== true) return release
  await release()
  throw new StateClaimedError(`another proxy has the state logs ${path}.*: end it, or name another place by UDP_DIRECTOR_STATE`)
}

const SUFFIX = '.owner'

// Not `path` and a dot, as logs are called; hidden, for nobody has business with it.
function ownersOf (path: string): { readonly prefix: string, readonly isOne: (file: string) => boolean } {
  const prefix = `.${basename(path)}.`
  return { prefix, isOne: file => file.startsWith(prefix) && /^[0-9a-f]{8}$/.test(file.slice(prefix.length, -SUFFIX.length)) && file.endsWith(SUFFIX) }
}

async function takesFiles (path: string): Promise<boolean> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: DIRECTORY_MODE })
    await savedFilesAt(path).tryToWrite(`${randomBytes(4).toString('hex')}.try`)
    return true
  } catch { // read-only, full, of another owner, no directory: the logs will say so
    return false
  }
}

async function listenOn (file: string): Promise<Server> {
  if (Buffer.byteLength(file) > MAX_PATH_BYTES) throw new Error(`the path of a Unix socket has ${MAX_PATH_BYTES} bytes at most, and ${file} more`)
  const server = createServer(socket => { socket.destroy() })
  await new Promise<void>((resolve, reject) => { server.once('error', reject).listen(file, resolve) })
  return server.unref()
}

// Removes the sockets of those that have died.
async function isOwnedBesides (path: string, own: string): Promise<boolean> {
  const { isOne } = ownersOf(path)
  const files = await readdir(dirname(path)).catch(() => [])
  for (const file of files.filter(name => name !== own && isOne(name))) {
    const socket = join(dirname(path), file)
    const answer = await answerOn(socket)
    if (answer === 'somebody') return true
    if (answer === 'nobody') await rm(socket, { force: true }).catch(() => undefined)
  }
  return false
}
