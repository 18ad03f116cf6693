// Generated clients write null for fields that are not used, and PHP writes an empty list for an empty map. In fields that may
// be left out, both count as left out.
import type { FastifyRequest } from 'fastify'
import type { Named } from './named.js'

/** What is read of an object's schema. */
type Fields = Named & { readonly properties: Readonly<Record<string, unknown>>, readonly required?: readonly string[] }

/**
 * A hook that takes out of a body, before validation, every known field that may be left out and is null or `[]`. With
 * several `forms` these are all of their fields, because each may belong to another form than the one that is meant.
 *
 * @param nested forms of fields that are objects themselves
 */
export function dropAbsent (forms: readonly Fields[], nested: Readonly<Record<string, Fields>> = {}) {
  const names = forms.flatMap(form => forms.length > 1 ? Object.keys(form.properties) : optionalOf(form))
  const inner = Object.entries(nested).map(([name, form]) => [name, optionalOf(form)] as const)
  return (request: FastifyRequest, _reply: unknown, done: () => void): void => {
    const { body } = request
    if (isObject(body)) {
      for (const [name, optional] of inner) {
        const part = body[name]
        if (Object.hasOwn(body, name) && isObject(part)) drop(part, optional)
      }
      drop(body, names)
    }
    done()
  }
}

function optionalOf ({ properties, required = [] }: Fields): string[] {
  return Object.keys(properties).filter(name => !required.includes(name))
}

function drop (object: Record<string, unknown>, names: readonly string[]): void {
  for (const name of names) {
    if (Object.hasOwn(object, name) && isAbsent(object[name])) Reflect.deleteProperty(object, name)
  }
}

function isAbsent (value: unknown): boolean {
  return value === null || (Array.isArray(value) && value.length === 0)
}

function isObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
