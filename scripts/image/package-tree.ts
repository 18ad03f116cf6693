// Which folders of node_modules some packages take, by package-lock.json: what `npm ci` has installed is cut down to
// that, and nothing is resolved anew.

/** Of an entry of the lockfile (version 3) what says what else is needed. */
interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
  /** It may be missing: made for another operating system or processor. */
  readonly optional?: boolean
}

export interface Lockfile {
  readonly packages: Readonly<Record<string, LockedPackage>>
}

export interface PackageFolder {
  /** For example `node_modules/fastify/node_modules/ajv`. */
  readonly path: string
  readonly isOptional: boolean
}

/**
 * The folders of the packages `names` and of all they depend on, as Node resolves them. Throws if a name is no
 * dependency of the project, or the lockfile lacks one.
 */
export function packageTree ({ packages }: Lockfile, names: Iterable<string>): readonly PackageFolder[] {
  const ours = { ...packages['']?.dependencies, ...packages['']?.optionalDependencies }
  const paths = new Set<string>()
  for (const name of names) {
    if (!(name in ours)) throw new Error(`${name} is imported, but is not among the dependencies of package.json.`)
    paths.add(found(packages, '', name))
  }
  // A set can grow while it is gone through.
  for (const path of paths) for (const needed of neededBy(packages, path)) paths.add(needed)
  return [...paths].sort().map(path => ({ path, isOptional: packages[path]?.optional === true }))
}

function neededBy (packages: Lockfile['packages'], path: string): readonly string[] {
  const { dependencies = {}, optionalDependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = packages[path] ?? {}
  const peers = Object.keys(peerDependencies).filter(name => peerDependenciesMeta[name]?.optional !== true)
  const required = [...Object.keys(dependencies), ...peers].filter(name => !(name in optionalDependencies))
  return [
    ...required.map(name => found(packages, path, name)),
    ...Object.keys(optionalDependencies).flatMap(name => resolve(packages, path, name) ?? [])
  ]
}

function found (packages: Lockfile['packages'], from: string, name: string): string {
  const path = resolve(packages, from, name)
  if (path === undefined) throw new Error(`package-lock.json lacks ${name}, which ${from === '' ? 'package.json' : from} needs.`)
  return path
}

/** The nearest of that name, from the package at `from` outwards. */
function resolve (packages: Lockfile['packages'], from: string, name: string): string | undefined {
  const path = `${from === '' ? '' : `${from}/`}node_modules/${name}`
  if (path in packages) return path
  return from === '' ? undefined : resolve(packages, from.slice(0, Math.max(0, from.lastIndexOf('node_modules/') - 1)), name)
}
