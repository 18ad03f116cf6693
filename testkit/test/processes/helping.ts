// Plays a helper: it counts, and dies when it is told to.
import { serve } from '../../processes/helper.js'

let count = 0

const calls = {
  add: async (number: number): Promise<number> => {
    count += number
    return count
  },
  fail: async (): Promise<void> => { throw new Error('as it was told') },
  die: async (): Promise<void> => { process.kill(process.pid, 'SIGKILL') }
}

export type HelpingCalls = typeof calls

serve(calls, async () => {})
