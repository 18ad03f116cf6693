// What somebody waits for, and what they are told when it takes too long. The work itself goes on.
import type { Clock } from './clock.js'

/** What `work` comes to, or `late` after `ms`. `work` must not fail. */
export async function within<Value> (clock: Clock, ms: number, work: Promise<Value>, late: Value): Promise<Value> {
  return await new Promise(resolve => {
    const cancel = clock.after(ms, () => { resolve(late) })
    void work.then(value => {
      cancel()
      resolve(value)
    })
  })
}
