// Counts what the test runner prints as TAP: assertions, not the lines of subtests. Such a line counts only if it fails
// with nothing inside to blame: a crash, a timeout, a plan that came up short.
import { Parser } from 'tap-parser'
import { stringify } from 'yaml'

/**
 * @typedef {{ path: string[], details: string[] }} Failure `details` is the YAML under the point
 * @typedef {{ path: string[], directive: string, why: string }} Skip
 * @typedef {{ name: string, ok: boolean, ms: number, passed: number, failures: Failure[], skips: Skip[] }} FileReport
 */

/**
 * @param {{ onFile?: (report: FileReport) => void }} [options] called after each test file
 * @returns `readLine` takes the output; `end` gives the totals
 */
export function createTapReader ({ onFile = () => {} } = {}) {
  const totals = { passed: 0, failed: 0, skips: [], files: 0 }
  let report // of the file that is being read
  const startFile = () => { report = { name: '', ok: true, ms: 0, passed: 0, failures: [], skips: [] } }

  const finishFile = (name, ms) => {
    totals.passed += report.passed
    totals.failed += report.failures.length
    totals.skips.push(...report.skips)
    totals.files++
    onFile({ ...report, name, ok: report.failures.length === 0, ms })
    startFile()
  }

  const fail = (path, diag) => { report.failures.push({ path, details: detailsOf(diag) }) }

  /** `path` is that of the test whose points these are; empty for the whole output, whose points are files. */
  const follow = (parser, path) => {
    let failedBefore = 0
    parser.on('child', child => {
      failedBefore = report.failures.length
      follow(child, [...path, child.name])
    })
    parser.on('assert', ({ name, ok, skip, todo, diag, time, closingTestPoint: isSummary }) => {
      const isFile = path.length === 0
      const own = [...path, name]
      const reason = skip || todo
      if (reason && !(isFile && isSummary)) report.skips.push({ path: own, directive: skip ? 'SKIP' : 'TODO', why: reason === true ? '' : reason })
      else if (!ok) {
        if (!isSummary || report.failures.length === failedBefore) fail(own, diag)
      } else if (!isSummary) report.passed++
      else if (isFile && report.passed + report.skips.length + report.failures.length === 0) fail([...own, 'no tests in this file'])
      if (isFile) finishFile(name, time ?? 0)
    })
  }

  startFile()
  const parser = new Parser()
  follow(parser, [])
  let openFile = ''
  parser.on('child', ({ name }) => { openFile = name })
  parser.on('bailout', reason => { fail([openFile, `Bail out! ${reason}`]) })
  return {
    readLine: line => { parser.write(`${line}\n`) },
    end: () => {
      parser.end()
      if (report.passed + report.failures.length > 0) {
        if (report.failures.length === 0) fail([openFile, 'the output breaks off'])
        finishFile(openFile, 0)
      }
      return totals
    }
  }
}

function detailsOf (diag) {
  return diag === null || diag === undefined ? [] : stringify(diag, { lineWidth: 0 }).trimEnd().split('\n')
}
