// An ESLint rule for who may import whom. Specifiers are resolved to paths in the repository first, so that
// `#core/x.js` and `../../libs/core/src/x.js` are the same thing to it. The table of bans is in eslint.config.js.
import { builtinModules } from 'node:module'
import { posix } from 'node:path'

const builtins = new Set(builtinModules)

/**
 * Files that match `from` (and not `except`) must not import what matches `imports` (and not `but`).
 *
 * @typedef {{ from: RegExp, except?: RegExp, imports: RegExp, but?: RegExp, message: string }} ImportBan
 */

/**
 * Where a specifier leads: a path in the repository, `node:name` for a builtin, or a package's own specifier.
 *
 * @param {string} specifier what stands after `from`
 * @param {string} file the importing file's path in the repository
 * @param {Record<string, string>} subpaths `imports` of package.json
 */
function resolveSpecifier (specifier, file, subpaths) {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(file), specifier)
  if (builtins.has(specifier)) return specifier.startsWith('node:') ? specifier : `node:${specifier}`
  for (const [pattern, target] of Object.entries(subpaths)) {
    const prefix = pattern.slice(0, -1)
    if (specifier.startsWith(prefix)) return posix.normalize(target.slice(0, -1) + specifier.slice(prefix.length))
  }
  return specifier
}

const libraryOf = path => /^libs\/[^/]+/.exec(path)?.[0]

/** Why `file` must not import `specifier`; undefined if it may. */
function faultOf (specifier, file, bans, subpaths) {
  const target = resolveSpecifier(specifier, file, subpaths)
  const ban = bans.find(({ from, except, imports, but }) =>
    from.test(file) && except?.test(file) !== true && imports.test(target) && but?.test(target) !== true)
  if (ban !== undefined) return ban.message
  const reachesAcross = specifier.startsWith('.') && libraryOf(target) !== undefined && libraryOf(target) !== libraryOf(file)
  return reachesAcross ? 'Another library is imported by its subpath, for example #core/result.js.' : undefined
}

/**
 * @param {ImportBan[]} bans
 * @param {Record<string, string>} subpaths `imports` of package.json
 * @returns {import('eslint').Rule.RuleModule}
 */
export function createImportRule (bans, subpaths) {
  return {
    meta: {
      type: 'problem',
      docs: { description: 'Keeps imports between rooms to those the design allows.' },
      schema: [],
      messages: { banned: '{{message}}' }
    },
    create (context) {
      const file = posix.relative(context.cwd, context.filename)
      const check = source => {
        if (typeof source?.value !== 'string') return
        const message = faultOf(source.value, file, bans, subpaths)
        if (message !== undefined) context.report({ node: source, messageId: 'banned', data: { message } })
      }
      return {
        ImportDeclaration: node => { check(node.source) },
        ImportExpression: node => { check(node.source) },
        ExportNamedDeclaration: node => { check(node.source) },
        ExportAllDeclaration: node => { check(node.source) },
        TSImportType: node => { check(node.source ?? node.argument?.literal) }
      }
    }
  }
}
