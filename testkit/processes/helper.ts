// A process of ours that does a part of the work on its own processor time, and the calls into it: one call, one answer,
// over Node's channel to a child.
import { fileURLToPath } from 'node:url'
import { startChild } from './child.js'

/** What a process can be asked for. Arguments and results are JSON. */
export type Calls = Readonly<Record<string, (argument: never) => unknown>>

export interface Helper<Served extends Calls> {
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
 * Starts the program at `entry`, which calls `serve`. If it dies, every call is rejected.
 * @param prefix a command, with its arguments, that becomes another one: `taskset`, `nice`
 */
export function openHelper<Served extends Calls> (entry: URL, prefix: readonly string[] = []): Helper<Served> {
  const [command, ...args] = [...prefix, process.execPath, fileURLToPath(entry)]
  const { process: child, ended } = startChild(entry.pathname, command, args, { streams: 'channel' })
  const waiting = new Map<number, { resolve: (result: unknown) => void, reject: (error: Error) => void }>()
  let calls = 0
  void ended.then(() => {
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
    call: call as Helper<Served>['call'],
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
