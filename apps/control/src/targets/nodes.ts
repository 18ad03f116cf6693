// Paths of the configuration, which were checked when it was read.
import { compilePath } from '#jsonpath/compile-path.js'
import { evaluatePath } from '#jsonpath/evaluate-path.js'
import type { KubeObject } from '../inventory/objects/inventory.js'

/** What is at the path `text` in an object. Throws if it does not parse. */
export function compileNodes (text: string): (object: KubeObject) => readonly unknown[] {
  const path = compilePath(text)
  if (!path.ok) throw new Error(`${JSON.stringify(text)} is not a JSONPath: ${path.error.message}`)
  return object => evaluatePath(path.value, object)
}
