// `node scripts/run-tests.mjs FILE …`: runs compiled test files, each in a process of its own, and prints their TAP as one.
import t from 'tap'

// The process tests mostly wait: one more than the cores of a small machine keeps those busy.
t.jobs = 3

// For a file, in seconds: only what hangs can meet it. Each wait within a file has a limit of its own
// (testkit/patience.ts), which says what did not come. The run as a whole takes as long as its files.
const FILE_TIMEOUT = 900
t.setTimeout(0)

const env = { ...process.env, TAP_TIMEOUT: String(FILE_TIMEOUT) }
for (const file of process.argv.slice(2)) {
  const name = file.replace(/^dist\//, '').replace(/\.js$/, '.ts')
  t.spawn(process.execPath, ['--enable-source-maps', file], { buffered: true, env, timeout: FILE_TIMEOUT * 1000 }, name)
}
