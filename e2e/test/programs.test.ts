import { readFileSync } from 'node:fs'
import t from 'tap'
import { packageOfProgram } from '../programs.js'

void t.test('.ci/run installs what the end-to-end tests need, and calls the test command last', t => {
  const script = readFileSync('.ci/run', 'utf8')
  const listed = /^e2e_packages=\((.*)\)$/m.exec(script)?.[1]?.split(' ')
  t.same(listed, [...new Set(Object.values(packageOfProgram))].sort())
  t.equal(script.trimEnd().split('\n').at(-1), 'npm test')
  t.end()
})
