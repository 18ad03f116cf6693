// Circles of imports: of files, and of the folders they are in. Types count too: who reads one file of a circle has to
// read all of them, whether the compiler leaves the import out or not.
import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import ts from 'typescript'
import { createResolver } from './resolve-specifier.mjs'

/**
 * @typedef {Map<string, Set<string>>} Graph who imports whom, by path
 */

/**
 * What each of `files` imports of the others.
 *
 * @param {string} root
 * @param {readonly string[]} files paths of sources
 * @param {Record<string, string>} subpaths `imports` of package.json
 * @returns {Graph}
 */
export function readImports (root, files, subpaths) {
  const known = new Set(files)
  const resolve = createResolver(subpaths)
  return new Map(files.map(file => {
    const { importedFiles } = ts.preProcessFile(readFileSync(join(root, file), 'utf8'), true, true)
    const imported = importedFiles.map(({ fileName }) => resolve(fileName, file).replace(/\.js$/, '.ts'))
    return [file, new Set(imported.filter(path => known.has(path)))]
  }))
}

/** The same between folders: one imports another if a file of it does. A folder inside another is a folder of its own. */
export function foldersOf (graph) {
  const folders = new Map()
  for (const [file, imported] of graph) {
    const folder = posix.dirname(file)
    const others = folders.get(folder) ?? new Set()
    folders.set(folder, others)
    for (const path of imported) if (posix.dirname(path) !== folder) others.add(posix.dirname(path))
  }
  return folders
}

/**
 * The circles of a graph: sets of two or more of which each reaches each (its strongly connected components). Sorted,
 * within and among themselves.
 *
 * @param {Graph} graph
 * @returns {string[][]}
 * @see Tarjan, Depth-first search and linear graph algorithms (1972)
 */
export function findCircles (graph) {
  const order = new Map()
  const lowest = new Map()
  const path = []
  const circles = []
  const visit = node => {
    order.set(node, order.size)
    lowest.set(node, order.get(node))
    path.push(node)
    for (const next of graph.get(node) ?? []) {
      if (!order.has(next)) visit(next)
      // What is on the path has a lowest; it is taken away with the circle.
      if (lowest.has(next)) lowest.set(node, Math.min(lowest.get(node), lowest.get(next)))
    }
    if (lowest.get(node) !== order.get(node)) return
    const circle = path.splice(path.indexOf(node))
    for (const member of circle) lowest.delete(member)
    if (circle.length > 1) circles.push(circle.sort())
  }
  for (const node of graph.keys()) if (!order.has(node)) visit(node)
  return circles.sort((a, b) => a[0] < b[0] ? -1 : 1)
}

/**
 * What is wrong, one text a fault: a circle that is there without the arrows known, or an arrow known that is not there.
 *
 * @param {Graph} graph
 * @param {ReadonlyArray<readonly [string, string]>} known
 */
export function findFaults (graph, known) {
  const gone = known.filter(([from, to]) => graph.get(from)?.has(to) !== true)
  const isKnown = new Set(known.map(arrow => arrow.join(' ')))
  const rest = new Map([...graph].map(([from, all]) => [from, new Set([...all].filter(to => !isKnown.has(`${from} ${to}`)))]))
  return [
    ...findCircles(rest).map(circle => `A circle of imports:\n${shortestRound(rest, circle).map(node => `    ${node}\n`).join('')}`),
    ...gone.map(([from, to]) => `${from} does not import ${to} any more: take that off scripts/lint/known-circles.mjs.\n`)
  ]
}

/** A way from the first of `circle` back to it, as short as there is. */
function shortestRound (graph, [first]) {
  const cameFrom = new Map()
  // A map can grow while it is gone through: breadth first.
  for (const next of graph.get(first)) cameFrom.set(next, first)
  for (const node of cameFrom.keys()) {
    if (node === first) break
    for (const next of graph.get(node)) if (!cameFrom.has(next)) cameFrom.set(next, node)
  }
  const round = [first]
  for (let node = cameFrom.get(first); node !== first; node = cameFrom.get(node)) round.unshift(node)
  return [first, ...round]
}
