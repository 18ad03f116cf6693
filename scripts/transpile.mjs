// One source to JavaScript and its source map, without a look at any other file. tsconfig.json makes that right
// (isolatedModules, erasableSyntaxOnly, verbatimModuleSyntax): types are only left out, and imports stand as they are.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'

/**
 * @returns a function from a source's path and text to `{ code, map }`, or to `{ fault }`, what the compiler says about it
 */
export function createTranspiler (root) {
  const ts = createRequire(join(root, 'package.json'))('typescript')
  const compilerOptions = {
    ...readOptions(ts, join(root, 'tsconfig.json')),
    // What `nodenext` makes of a package of type module; a single file does not see package.json.
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    sourceMap: true,
    incremental: false
  }
  const host = { getCurrentDirectory: () => root, getCanonicalFileName: name => name, getNewLine: () => '\n' }
  const format = process.stderr.isTTY ? ts.formatDiagnosticsWithColorAndContext : ts.formatDiagnostics
  return (path, text) => {
    const { outputText, sourceMapText, diagnostics } = ts.transpileModule(text, { compilerOptions, fileName: path, reportDiagnostics: true })
    if (diagnostics.length > 0) return { fault: format(diagnostics, host) }
    return { code: outputText, map: withSource(sourceMapText, root, path) }
  }
}

function readOptions (ts, path) {
  const { config, error } = ts.parseConfigFileTextToJson(path, readFileSync(path, 'utf8'))
  if (error !== undefined) throw new Error(`${path} is not JSON: ${ts.flattenDiagnosticMessageText(error.messageText, ' ')}`)
  return ts.convertCompilerOptionsFromJson(config.compilerOptions, '.').options
}

/** Maps name their source relative to themselves, so that a folder can be moved with its dist. */
function withSource (map, root, path) {
  const up = '../'.repeat(path.split('/').length)
  return JSON.stringify({ ...JSON.parse(map), file: basename(path).replace(/ts$/, 'js'), sourceRoot: '', sources: [up + path] })
}
