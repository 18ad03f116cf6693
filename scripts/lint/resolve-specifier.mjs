// Where an import leads, so that `#core/x.js` and `../../libs/core/src/x.js` are the same thing to every rule.
import { builtinModules } from 'node:module'
import { posix } from 'node:path'

const builtins = new Set(builtinModules)

/**
 * @param {Record<string, string>} subpaths `imports` of package.json
 * @returns {(specifier: string, file: string) => string} what stands after `from` in `file` (a path in the repository) to a
 *   path in the repository, `node:name` for a builtin, or the specifier itself for a package
 */
export function createResolver (subpaths) {
  const prefixes = Object.entries(subpaths).map(([pattern, target]) => [pattern.slice(0, -1), target.slice(0, -1)])
  return (specifier, file) => {
    if (specifier.startsWith('.')) return posix.join(posix.dirname(file), specifier)
    if (builtins.has(specifier)) return specifier.startsWith('node:') ? specifier : `node:${specifier}`
    const subpath = prefixes.find(([prefix]) => specifier.startsWith(prefix))
    return subpath === undefined ? specifier : posix.normalize(subpath[1] + specifier.slice(subpath[0].length))
  }
}
