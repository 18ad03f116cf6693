// An ESLint rule for who may import whom. Specifiers are resolved to paths in the repository first, so that
// `#core/x.js` and `../../libs/core/src/x.js` are the same thing to it. The table of bans is in eslint.config.js.
import { posix } from 'node:path'
import { createResolver } from './resolve-specifier.mjs'

/**
 * Files that match `from` (and not `except`) must not import what matches `imports` (and not `but`).
 *
 * @typedef {{ from: RegExp, except?: RegExp, imports: RegExp, but?: RegExp, message: string }} ImportBan
 */

const libraryOf = path => /^libs\/[^/]+/.exec(path)?.[0]

/** An app, a library, or another folder at the root: what has tests of its own. */
const treeOf = path => /^(?:apps|libs)\/[^/]+|^[^/]+/.exec(path)?.[0]

const isTest = path => /(?:^|\/)test\//.test(path)

/** Why `file` must not import `specifier`; undefined if it may. */
function faultOf (specifier, file, bans, resolve) {
  const target = resolve(specifier, file)
  const ban = bans.find(({ from, except, imports, but }) =>
    from.test(file) && except?.test(file) !== true && imports.test(target) && but?.test(target) !== true)
  if (ban !== undefined) return ban.message
  if (isTest(target) && treeOf(target) !== treeOf(file)) {
    return 'No tree imports another tree\'s tests: what both need belongs in the testkit.'
  }
  const reachesAcross = specifier.startsWith('.') && libraryOf(target) !== undefined && libraryOf(target) !== libraryOf(file)
  return reachesAcross ? 'Another library is imported by its subpath, for example #core/result.js.' : undefined
}

/**
 * @param {ImportBan[]} bans
 * @param {Record<string, string>} subpaths `imports` of package.json
 * @returns {import('eslint').Rule.RuleModule}
 */
export function createImportRule (bans, subpaths) {
  const resolve = createResolver(subpaths)
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
        const message = faultOf(source.value, file, bans, resolve)
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
