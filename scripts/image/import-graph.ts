// What compiled files import, and what those import in turn: the files of dist that a process is made of, and the
// packages it needs. Read from the code, so that a new import is in the image without anybody thinking of it.
import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join, posix } from 'node:path'
import ts from 'typescript'

export interface ImportGraph {
  /** Paths in dist, the entries among them. */
  readonly files: ReadonlySet<string>
  /** Names of packages. */
  readonly packages: ReadonlySet<string>
}

/** `imports` of a package.json, all of the form `#room/*`. */
type Subpaths = Readonly<Record<string, string>>

/**
 * Follows every import of `entries`, which are paths in the folder `dist`. Throws if an import leads nowhere, or is
 * computed while the process runs.
 */
export function importGraph (dist: string, entries: Iterable<string>): ImportGraph {
  const { imports } = JSON.parse(readFileSync(join(dist, 'package.json'), 'utf8')) as { readonly imports: Subpaths }
  const files = new Set(entries)
  const packages = new Set<string>()
  // A set can grow while it is gone through.
  for (const file of files) {
    for (const specifier of specifiersIn(file, readFileSync(join(dist, file), 'utf8'))) {
      const path = pathOf(specifier, file, imports)
      if (path !== undefined) files.add(path)
      else if (!isBuiltin(specifier)) packages.add(packageOf(specifier))
    }
  }
  return { files, packages }
}

function specifiersIn (file: string, text: string): readonly string[] {
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    const specifier = specifierOf(node)
    if (specifier !== undefined) found.push(literal(specifier, file))
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest))
  return found
}

function specifierOf (node: ts.Node): ts.Expression | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier
  if (!ts.isCallExpression(node)) return undefined
  const { expression } = node
  const isImport = expression.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(expression) && expression.text === 'require')
  return isImport ? node.arguments[0] : undefined
}

function literal (specifier: ts.Expression, file: string): string {
  if (ts.isStringLiteralLike(specifier)) return specifier.text
  throw new Error(`${file} imports something that only running it would tell: write the specifier as a string.`)
}

/** The file of dist that `specifier` means; undefined for a package or a builtin. */
function pathOf (specifier: string, file: string, subpaths: Subpaths): string | undefined {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(file), specifier)
  if (!specifier.startsWith('#')) return undefined
  for (const [pattern, target] of Object.entries(subpaths)) {
    const prefix = pattern.slice(0, -1)
    if (specifier.startsWith(prefix)) return posix.normalize(target.slice(0, -1) + specifier.slice(prefix.length))
  }
  throw new Error(`${file} imports ${specifier}, which package.json does not know.`)
}

function packageOf (specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}
