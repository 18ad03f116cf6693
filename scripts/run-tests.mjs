// `node scripts/run-tests.mjs FILE …`: runs compiled test files, each in a process of its own, and prints their TAP as one.
import t from 'tap'

// The process tests mostly wait: one more than the cores of a small machine keeps those busy.
t.jobs = 3

const FILE_TIMEOUT_MS = 120_000

for (const file of process.argv.slice(2)) {
  const name = file.replace(/^dist-test\//, '').replace(/\.js$/, '.ts')
  t.spawn(process.execPath, ['--enable-source-maps', file], { buffered: true, timeout: FILE_TIMEOUT_MS }, name)
}
