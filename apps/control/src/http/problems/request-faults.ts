// What a schema has to say against a request, in words for its caller. Pure.
import type { Fault } from './problem.js'

/** As Ajv reports it, with `verbose`. */
export interface SchemaError {
  readonly keyword: string
  readonly instancePath: string
  readonly schemaPath: string
  readonly params: Readonly<Record<string, unknown>>
  readonly message?: string
  readonly schema?: unknown
}

/** Most faults one answer lists. */
export const MAX_FAULTS = 20

const parts: Readonly<Record<string, string>> = {
  body: 'The body',
  querystring: 'The query string',
  params: 'The path',
  headers: 'The header'
}

/** "The body has 2 faults." */
export function summaryOf (context: string | undefined, count: number): string {
  return `${parts[context ?? 'body'] ?? 'The request'} has ${count === 1 ? 'one fault' : `${count} faults`}.`
}

/** One fault per thing that is wrong, in the schema's order, 20 at most. */
export function faultsFrom (errors: readonly SchemaError[]): Fault[] {
  // What is behind a branch or a name is told by the keyword that asked for it.
  const told = errors.filter(({ keyword, schemaPath }) => keyword !== 'if' && !schemaPath.includes('/propertyNames/'))
  return told.slice(0, MAX_FAULTS).map(faultFrom)
}

function faultFrom (error: SchemaError): Fault {
  const { keyword, instancePath, params } = error
  switch (keyword) {
    case 'additionalProperties':
      return { path: `${instancePath}/${escaped(params['additionalProperty'])}`, message: 'is not a known field' }
    case 'required':
      return { path: `${instancePath}/${escaped(params['missingProperty'])}`, message: 'is missing' }
    case 'enum':
      return { path: instancePath, message: `must be ${(params['allowedValues'] as unknown[]).join(' or ')}` }
    case 'propertyNames':
      return { path: `${instancePath}/${escaped(params['propertyName'])}`, message: `must have a name of ${lengths(error.schema)} characters` }
    default:
      return { path: instancePath, message: error.message ?? 'does not fit the schema' }
  }
}

function lengths (schema: unknown): string {
  const { minLength, maxLength } = schema as { readonly minLength: number, readonly maxLength: number }
  return `${minLength} to ${maxLength}`
}

// JSON pointer escapes (RFC 6901 §3). Names are the caller's own text, so they are cut to a readable length.
function escaped (name: unknown): string {
  return String(name).slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')
}
