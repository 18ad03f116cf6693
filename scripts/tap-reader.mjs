// Reads the TAP that the test runner prints, line by line, and counts assertions. A subtest's own line is not counted
// again, unless it fails with nothing inside to blame: a crash, a timeout, a plan that came up short.

const pointLine = /^( *)(not ok|ok)(?: \d+)?(?: - (.*))?$/
const directive = / # (SKIP|TODO)\b ?(.*)$/i
const timing = / # time=([\d.]+)ms$/

/**
 * @typedef {{ path: string[], details: string[] }} Failure `details` is the indented YAML under the point
 * @typedef {{ path: string[], directive: string, why: string }} Skip
 * @typedef {{ name: string, ok: boolean, ms: number, passed: number, failures: Failure[], skips: Skip[] }} FileReport
 */

/**
 * @param {{ onFile?: (report: FileReport) => void }} [options] called after each test file
 * @returns `readLine` takes the output; `end` gives the totals
 */
export function createTapReader ({ onFile = () => {} } = {}) {
  const totals = { passed: 0, failed: 0, skips: [], files: 0 }
  const names = [] // the subtest open at each depth
  const sawInside = [] // whether lines of a subtest came since the last point at this depth
  const failedInside = [] // failures counted inside it
  let report = newReport()
  let diagnostics // { indent, details } while in a YAML block
  let lastFailure
  let finished // the report of a file whose diagnostics may still follow

  const fail = (path, depth) => {
    totals.failed++
    lastFailure = { path, details: [] }
    report.failures.push(lastFailure)
    for (let above = 0; above < depth; above++) failedInside[above] = (failedInside[above] ?? 0) + 1
  }

  const point = (depth, ok, text) => {
    const [, kind, why] = directive.exec(text) ?? []
    const name = text.replace(directive, '').replace(timing, '').replaceAll('\\#', '#').replaceAll('\\\\', '\\')
    const path = [...names.slice(0, depth), name]
    const isSummary = sawInside[depth] === true
    const blamed = failedInside[depth] ?? 0
    lastFailure = undefined
    if (depth > 0) sawInside[depth - 1] = true
    sawInside[depth] = false
    failedInside[depth] = 0
    if (kind !== undefined && !(depth === 0 && isSummary)) {
      const skip = { path, directive: kind.toUpperCase(), why }
      report.skips.push(skip)
      totals.skips.push(skip)
    } else if (isSummary ? !ok && blamed === 0 : !ok) fail(path, depth)
    else if (!isSummary) {
      totals.passed++
      report.passed++
    } else if (depth === 0 && report.passed + report.skips.length + report.failures.length === 0) {
      fail([...path, 'no tests in this file'], depth)
    }
    if (depth === 0) finishFile(name, timing.exec(text)?.[1] ?? 0)
  }

  const finishFile = (name, ms) => {
    finished = { ...report, name, ok: report.failures.length === 0, ms: Number(ms) }
    totals.files++
    report = newReport()
  }

  const flush = () => {
    if (finished !== undefined) onFile(finished)
    finished = undefined
  }

  const readDiagnostics = line => {
    if (line === `${diagnostics.indent}...`) diagnostics = undefined
    else diagnostics.details?.push(line.slice(diagnostics.indent.length))
  }

  const readLine = line => {
    if (diagnostics !== undefined) return readDiagnostics(line)
    const trimmed = line.trimStart()
    const indent = line.slice(0, line.length - trimmed.length)
    const depth = indent.length >> 2
    if (trimmed === '---') {
      diagnostics = { indent, details: lastFailure?.details }
      return
    }
    flush()
    if (trimmed.startsWith('# Subtest: ')) names[depth] = trimmed.slice('# Subtest: '.length)
    else if (/^1\.\.\d+/.test(trimmed) && depth > 0) sawInside[depth - 1] = true
    else if (trimmed.startsWith('Bail out!')) fail([...names.slice(0, depth), trimmed], depth)
    else {
      const [, , outcome, text = ''] = pointLine.exec(line) ?? []
      if (outcome !== undefined) point(depth, outcome === 'ok', text)
    }
  }

  return {
    readLine,
    end: () => {
      flush()
      if (report.passed + report.failures.length > 0) {
        if (report.failures.length === 0) fail([names[0], 'the output breaks off'], 0)
        onFile({ ...report, name: names[0], ok: false })
      }
      return totals
    }
  }
}

function newReport () {
  return { name: '', ok: true, ms: 0, passed: 0, failures: [], skips: [] }
}
