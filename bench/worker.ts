// A process of the benchmark's own and the calls into it: one call, one answer, over Node's channel to a child.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What a process can be asked for. Arguments and results are JSON. */
export type Calls = Readonly<Record<string, (argument: never) => unknown>>

export interface Worker<Served extends Calls> {
  readonly call: <Name extends keyof Served & string>(name: Name, argument: Parameters<Served[Name]>[0]) => Promise<Awaited<ReturnType<Served[Name]>>>
  /** Lets it end, and waits for that. */
  readonly close: () => Promise<void>
}

interface Request {
  readonly id: number
  readonly name: string
  readonly argument: unknown
}

interface Answer {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}

/**
 * Starts the program at `entry`, which calls `serve`. If it dies, so does every call.
 * @param prefix a command, with its arguments, that becomes another one: `taskset`, `nice`
 */
export function openWorker<Served extends Calls> (entry: URL, prefix: readonly string[] = []): Worker<Served> {
  const [execPath, ...execArgv] = [...prefix, process.execPath]
  const child = fork(fileURLToPath(entry), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execPath, execArgv })
  const waiting = new Map<number, { resolve: (result: unknown) => void, reject: (error: Error) => void }>()
  let calls = 0
  const ended = once(child, 'exit').then(() => {
    for (const { reject } of waiting.values()) reject(new Error(`${entry.pathname} ended before it answered`))
  })
  child.on('message', message => {
    const { id, result, error } = message as Answer
    const call = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) call?.resolve(result)
    else call?.reject(new Error(error))
  })
  const call = async (name: string, argument: unknown): Promise<unknown> => await new Promise((resolve, reject) => {
    const id = ++calls
    waiting.set(id, { resolve, reject })
    child.send({ id, name, argument } satisfies Request, error => { if (error !== null) reject(error) })
  })
  return {
    call: call as Worker<Served>['call'],
    close: async () => {
      if (child.connected) child.disconnect()
      await ended
    }
  }
}

/** Answers the calls of the process that started this one; `close` runs when that is gone or wants no more. */
export function serve (calls: Calls, close: () => Promise<void>): void {
  process.on('message', message => {
    const { id, name, argument } = message as Request
    const answer = async (): Promise<unknown> => await calls[name]?.(argument as never)
    void answer().then(
      result => { process.send?.({ id, result } satisfies Answer) },
      (error: unknown) => { process.send?.({ id, error: String(error) } satisfies Answer) }
    )
  })
  process.once('disconnect', () => { void close() })
}
