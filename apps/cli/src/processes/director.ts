// The director's two processes, as programs to start.
import { fileURLToPath } from 'node:url'
import { environmentWith, type Environment } from '#config/env.js'
import type { ProcessSpec } from '../runtime/child.js'

/** The process `name`, with these settings on top of our own environment. */
export function processSpec (name: ProcessSpec['name'], settings: Partial<Environment>): ProcessSpec {
  return {
    name,
    script: fileURLToPath(new URL(`../../../${name}/src/main.js`, import.meta.url)),
    env: environmentWith(settings)
  }
}

/** Both, in the order in which they stop: control first, so that nobody gets a token that no proxy will honour. */
export function directorSpecs (settings: Partial<Environment>): readonly ProcessSpec[] {
  return [processSpec('control', settings), processSpec('proxy', settings)]
}
