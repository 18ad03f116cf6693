// What takes long says so, on stderr: what it is, how long it has been going on, how long it took.
const EVERY_MS = 5000

/** Runs `work` under a line that begins with `words` and grows by the seconds that have passed; resolves to what it does. */
export async function withProgress (words, work, { write = text => process.stderr.write(text), everyMs = EVERY_MS } = {}) {
  const startedMs = performance.now()
  const seconds = digits => ((performance.now() - startedMs) / 1000).toFixed(digits)
  write(`${words} … `)
  const timer = setInterval(() => { write(`${seconds(0)} s … `) }, everyMs)
  try {
    const value = await work()
    write(`done in ${seconds(1)} s\n`)
    return value
  } catch (error) {
    write(`failed after ${seconds(1)} s\n`)
    throw error
  } finally {
    clearInterval(timer)
  }
}
