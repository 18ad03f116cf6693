// Carries out a Dockerfile without docker, as far as ours go: each stage is a folder that stands for its `/`, and what
// the base image would bring is this machine. Whatever it does not know is refused, so nothing is skipped unseen.
import { exec } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(exec)

export interface Image {
  readonly base: string
  /** The folder that stands for `/`. */
  readonly root: string
  workdir: string
  user: string
  entrypoint: readonly string[]
  healthCheck: readonly string[]
  readonly env: Record<string, string>
  readonly labels: Record<string, string>
  readonly exposed: string[]
}

export interface BuildOptions {
  /** Name of the Dockerfile in `context`. */
  readonly file: string
  readonly context: string
  /** An empty folder for the stages. */
  readonly scratch: string
  /** What is done in the stage's working directory in place of a RUN. */
  readonly standIns: Readonly<Record<string, (folder: string) => void>>
}

/** The last stage's image. Throws for an instruction that fails or is not known. */
export async function buildImage (options: BuildOptions): Promise<Image> {
  const build = new Build(options)
  for (const [name, rest] of instructionsIn(readFileSync(join(options.context, options.file), 'utf8'))) await build.step(name, rest)
  return build.image
}

function instructionsIn (text: string): ReadonlyArray<readonly [name: string, rest: string]> {
  const lines = text.replace(/^\s*#.*\n/gm, '').replace(/\\\n\s*/g, '').split('\n').filter(line => line !== '')
  return lines.map(line => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)])
}

class Build {
  readonly #options: BuildOptions
  readonly #isIgnored: (path: string) => boolean
  readonly #stages = new Map<string, Image>()
  readonly #args: Record<string, string> = {}
  #image: Image | undefined

  constructor (options: BuildOptions) {
    this.#options = options
    this.#isIgnored = ignoreRule(readFileSync(join(options.context, '.dockerignore'), 'utf8'))
  }

  get image (): Image {
    if (this.#image === undefined) throw new Error('there is no FROM')
    return this.#image
  }

  async step (name: string, rest: string): Promise<void> {
    switch (name) {
      case 'FROM': this.#from(rest); break
      case 'ARG': Object.assign(this.#args, this.#pairs(rest)); break
      case 'ENV': Object.assign(this.image.env, this.#pairs(rest)); break
      case 'LABEL': Object.assign(this.image.labels, this.#pairs(rest)); break
      case 'WORKDIR': this.#enter(rest); break
      case 'COPY': this.#copy(rest); break
      case 'RUN': await this.#run(rest); break
      case 'USER': this.image.user = rest; break
      case 'EXPOSE': this.image.exposed.push(...rest.split(' ')); break
      case 'ENTRYPOINT': this.image.entrypoint = JSON.parse(rest) as string[]; break
      case 'HEALTHCHECK': this.image.healthCheck = JSON.parse(rest.slice(rest.indexOf(' CMD ') + 5)) as string[]; break
      default: throw new Error(`${name} is an instruction that this reader does not know`)
    }
  }

  #from (rest: string): void {
    const [base = '', , name] = rest.split(/ +/)
    const root = join(this.#options.scratch, String(this.#stages.size))
    mkdirSync(root)
    this.#image = { base, root, workdir: '/', user: 'root', entrypoint: [], healthCheck: [], env: {}, labels: {}, exposed: [] }
    this.#stages.set(name ?? 'the last one', this.#image)
  }

  #enter (path: string): void {
    this.image.workdir = path
    mkdirSync(join(this.image.root, path), { recursive: true })
  }

  #copy (rest: string): void {
    const words = rest.split(/ +/)
    const stage = /^--from=(.*)$/.exec(words[0]!)?.[1]
    const [target = '', ...sources] = words.slice(stage === undefined ? 0 : 1).reverse()
    const to = join(this.image.root, this.image.workdir, target)
    for (const source of sources) {
      if (stage === undefined) this.#copyFromContext(source, to)
      else moveContent(join(this.#stageNamed(stage).root, source), to)
    }
  }

  #copyFromContext (source: string, to: string): void {
    const { context } = this.#options
    const from = join(context, source)
    const filter = (path: string): boolean => !this.#isIgnored(relative(context, path))
    if (!filter(from)) throw new Error(`${source} is not sent: see .dockerignore`)
    cpSync(from, statSync(from).isDirectory() ? to : join(to, basename(from)), { recursive: true, filter })
  }

  #stageNamed (name: string): Image {
    const stage = this.#stages.get(name)
    if (stage === undefined) throw new Error(`there is no stage ${name}`)
    return stage
  }

  async #run (command: string): Promise<void> {
    const folder = join(this.image.root, this.image.workdir)
    const standIn = this.#options.standIns[command]
    // NODE_OPTIONS: the test runner's loader is nothing that an image has.
    if (standIn === undefined) await run(command, { cwd: folder, env: { ...process.env, ...this.image.env, NODE_OPTIONS: '' } })
    else standIn(folder)
  }

  // `A=1 B="two words"`, with build arguments in `${…}`.
  #pairs (text: string): Record<string, string> {
    const pairs = [...text.matchAll(/([\w.]+)=(?:"([^"]*)"|(\S*))/g)]
    return Object.fromEntries(pairs.map(([, name = '', quoted, plain = '']) => [name, (quoted ?? plain).replace(/\$\{(\w+)\}/g, (_, arg: string) => this.#argument(arg))]))
  }

  #argument (name: string): string {
    const value = this.#args[name]
    if (value === undefined) throw new Error(`there is no ARG ${name}`)
    return value
  }
}

// The folder of a stage is not needed any more, and thousands of files are copied slowly.
function moveContent (from: string, to: string): void {
  for (const name of readdirSync(from)) renameSync(join(from, name), join(to, name))
}

/** Of a .dockerignore: the last pattern that matches a path or a folder above it decides; `!` takes it in again. */
function ignoreRule (text: string): (path: string) => boolean {
  const rules = text.split('\n').filter(line => line !== '' && !line.startsWith('#')).map(line => {
    const pattern = line.replace(/^!/, '').replaceAll('.', '\\.').replaceAll('**/', '(?:.+/)?').replace(/(?<![.)])\*/g, '[^/]*')
    return { isKept: line.startsWith('!'), matches: new RegExp(`^${pattern}(?:/|$)`) }
  })
  return path => path !== '' && rules.findLast(({ matches }) => matches.test(path))?.isKept === false
}
