// Which sources a run of some files can reach: what they import, what they hand to `new URL` or a worker, and so on from
// there. Read from the text, without a parser, and generous: a file too many costs a few milliseconds, one too few a test.
import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'

/** Whatever stands in quotes without a space: paths do. */
const quoted = /(['"`])([^'"`\s]+)\1/g

/** Who names the output folder starts programs from it, and may start any. */
const isOutput = text => text === 'dist' || text.startsWith('dist/')

/**
 * @param {string} root
 * @param {readonly string[]} sources all there are
 * @param {readonly string[]} entries some of those
 * @returns {string[]} what of `sources` a run of `entries` can reach, themselves among them
 */
export function reachableFrom (root, sources, entries) {
  const known = new Set(sources)
  const { imports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const reached = new Set(entries)
  // A set can grow while it is gone through.
  for (const file of reached) {
    for (const [, , text] of readFileSync(join(root, file), 'utf8').matchAll(quoted)) {
      if (isOutput(text)) return [...sources]
      const [fixed, isComputed] = fixedPart(text)
      const path = resolve(fixed, file, imports)
      if (isComputed) for (const source of sources.filter(source => source.startsWith(path))) reached.add(source)
      else if (known.has(path)) reached.add(path)
    }
  }
  return [...reached]
}

/** The part of a template before what is computed, as far as it names a folder; any other text as a whole. */
function fixedPart (text) {
  const at = text.indexOf('${')
  if (at === -1 || !/^(?:\.{1,2}\/|#)/.test(text)) return [text, false]
  return [text.slice(0, text.lastIndexOf('/', at) + 1), true]
}

function resolve (text, file, imports) {
  for (const [pattern, target] of Object.entries(imports ?? {})) {
    const prefix = pattern.slice(0, -1)
    if (text.startsWith(prefix)) return toSource(posix.normalize(target.slice(0, -1) + text.slice(prefix.length)))
  }
  return toSource(posix.join(posix.dirname(file), text))
}

function toSource (path) {
  return path.replace(/\.js$/, '.ts')
}
