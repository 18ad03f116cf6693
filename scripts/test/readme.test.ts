// README.md and the hand-written pages of docs/ against the repository: code they quote, files they link to, scripts they name.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'

const root = process.cwd()
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const pages = ['README.md', 'docs/protocol.md', 'docs/clients.md', 'docs/architecture.md', 'docs/kubernetes.md', 'docs/performance.md', 'docs/security.md', 'docs/operations.md', 'docs/debugging.md', 'SECURITY.md', 'CONTRIBUTING.md']

void t.test('the README holds every example as it stands', async t => {
  const readme = read('README.md')
  const fences = { '.mjs': 'js', '.py': 'python', '.cs': 'csharp' }
  for (const name of readdirSync(join(root, 'examples'))) {
    const fence = Object.entries(fences).find(([extension]) => name.endsWith(extension))?.[1]
    t.ok(fence !== undefined && readme.includes(`\`\`\`${fence}\n${read(`examples/${name}`)}\`\`\`\n`), name)
  }
})

void t.test('links lead to files and headings that are there', async t => {
  for (const page of pages) {
    for (const [, target = ''] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue
      const [path = '', heading] = target.split('#')
      const file = path === '' ? page : join(dirname(page), path)
      t.ok(existsSync(join(root, file)), `${page} links to ${target}`)
      if (heading !== undefined) t.ok(headings(read(file)).includes(heading), `${page} links to the heading ${target}`)
    }
  }
})

void t.test('npm scripts they name exist', async t => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  for (const page of pages) {
    for (const [, name = ''] of read(page).matchAll(/npm (?:run )?(start|test|(?<=run )[a-z0-9:]+)/g)) t.ok(name in scripts, `${page} names npm run ${name}`)
  }
})

void t.test('the pages for contributors name files that are there', async t => {
  const folders = ['apps', 'docs', 'fuzz', 'libs', 'scripts', 'simulation', 'test', 'testkit']
  const all = folders.flatMap(folder => readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map(path => `/${folder}/${path}`))
  for (const page of ['CONTRIBUTING.md', 'docs/debugging.md']) {
    for (const [, path = ''] of read(page).matchAll(/`([\w./-]+\.(?:ts|mjs|md))`/g)) t.ok(path.includes('NNNN') || all.some(one => one.endsWith(`/${path}`)), `${page} names ${path}`)
  }
})

/** Headings as GitHub writes their anchors. */
function headings (text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading.toLowerCase().replaceAll(/[^\w\- ]/g, '').replaceAll(' ', '-'))
}
