import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { documents } from './documents.js'

/** What is generated and what stands in the repository at `root`; `found` is undefined for a file that is not there. */
export interface Comparison {
  readonly path: string
  readonly text: string
  readonly found: string | undefined
}

/** Makes every document and reads its committed counterpart. */
export async function compareDocuments (root: string): Promise<Comparison[]> {
  return await Promise.all(Object.entries(documents).map(async ([path, render]) => ({
    path, text: await render(), found: await readIfThere(join(root, path))
  })))
}

async function readIfThere (path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
