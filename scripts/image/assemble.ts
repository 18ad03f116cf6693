// Puts together what the image of one process holds: its part of dist, and of node_modules what that imports. It is a
// part of the tree that the tests ran with: same versions, same places, native binaries with their packages.
import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { importGraph } from './import-graph.js'
import { packageTree, type Lockfile, type PackageFolder } from './package-tree.js'

export const imageNames = ['control', 'proxy'] as const

export type ImageName = typeof imageNames[number]

// What only compilers and debuggers read: half of what packages ship. Node itself runs no TypeScript in node_modules.
const isForCompilers = /\.(?:[cm]?ts|map)$/

/**
 * Puts into `target`, a new folder, what it takes of `root`, which is built and has its dependencies installed. All files
 * of the app are taken but for its tests, so that one that only a worker thread loads is there too; of the libraries, what they import.
 */
export function assemble (root: string, name: ImageName, target: string): void {
  const dist = join(root, 'dist')
  const { files, packages } = importGraph(dist, filesOf(dist, `apps/${name}`))
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lockfile
  for (const file of ['package.json', ...files]) copyFile(join(dist, file), join(target, 'dist', file))
  for (const folder of packageTree(lock, packages)) copyPackage(root, folder, target)
}

function filesOf (dist: string, folder: string): readonly string[] {
  return readdirSync(join(dist, folder), { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.js') && !/(?:^|\/)test\//.test(path))
    .map(path => `${folder}/${path}`)
}

function copyPackage (root: string, { path, isOptional }: PackageFolder, target: string): void {
  const source = join(root, path)
  // Made for another platform: npm has not installed it.
  if (isOptional && !existsSync(source)) return
  copyFolder(source, join(target, path))
}

// Packages inside of a package are chosen one by one.
function copyFolder (source: string, target: string): void {
  mkdirSync(target, { recursive: true })
  for (const entry of readdirSync(source, { withFileTypes: true })) {
    const [from, to] = [join(source, entry.name), join(target, entry.name)]
    if (!entry.isDirectory()) {
      if (!isForCompilers.test(entry.name)) linkOrCopy(from, to)
    } else if (entry.name !== 'node_modules') copyFolder(from, to)
  }
}

// Of thousands of files, links take a fifth of the time that copies take.
function linkOrCopy (source: string, target: string): void {
  try {
    linkSync(source, target)
  } catch {
    // Another file system, or one without hard links.
    copyFileSync(source, target)
  }
}

function copyFile (source: string, target: string): void {
  mkdirSync(dirname(target), { recursive: true })
  copyFileSync(source, target)
}
