// labelSelector and fieldSelector of a request, as predicates over objects.
// https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
import { err, ok, type Result } from '#core/result.js'
import type { KubeObject } from './resource-type.js'

export type Predicate = (object: KubeObject) => boolean

const KEY = String.raw`(?:[A-Za-z0-9.-]+/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?`
const VALUE = '[A-Za-z0-9_.-]*'
const SET_BASED = new RegExp(`^(${KEY})\\s+(in|notin)\\s*\\(([^()]*)\\)$`)
const EQUALITY = new RegExp(`^(${KEY})\\s*(==|=|!=)\\s*(${VALUE})$`)
const EXISTENCE = new RegExp(`^(!?)\\s*(${KEY})$`)

/** Equality and set based requirements, all of which have to hold. The reason of a fault is the part that is none. */
export function parseLabelSelector (text: string): Result<Predicate, string> {
  return parseAll(splitRequirements(text), requirementOf)
}

/** `metadata.name` and `metadata.namespace` with = == !=: all that a custom resource has. */
export function parseFieldSelector (text: string): Result<Predicate, string> {
  return parseAll(text.split(','), part => {
    const [, field, operator, value] = /^metadata\.(name|namespace)(==|=|!=)(.*)$/.exec(part.trim()) ?? []
    if (field === undefined) return undefined
    return ({ metadata }) => (metadata[field] === value) === (operator !== '!=')
  })
}

function parseAll (parts: readonly string[], parse: (part: string) => Predicate | undefined): Result<Predicate, string> {
  const predicates: Predicate[] = []
  for (const part of parts) {
    if (part.trim() === '') continue
    const predicate = parse(part.trim())
    if (predicate === undefined) return err(part.trim())
    predicates.push(predicate)
  }
  return ok(object => predicates.every(predicate => predicate(object)))
}

// At commas that are not inside of ( ).
function splitRequirements (text: string): string[] {
  return text.split(/,(?![^(]*\))/)
}

function requirementOf (part: string): Predicate | undefined {
  const [, setKey, setOperator, list] = SET_BASED.exec(part) ?? []
  if (setKey !== undefined) return oneOf(setKey, list!.split(',').map(value => value.trim()), setOperator === 'in')
  const [, key, operator, value] = EQUALITY.exec(part) ?? []
  if (key !== undefined) return oneOf(key, [value!], operator !== '!=')
  const [, not, present] = EXISTENCE.exec(part) ?? []
  if (present !== undefined) return object => (labelOf(object, present) !== undefined) === (not === '')
  return undefined
}

// An object without the label satisfies != and notin.
function oneOf (key: string, values: readonly string[], wanted: boolean): Predicate {
  return object => {
    const label = labelOf(object, key)
    return (label !== undefined && values.includes(label)) === wanted
  }
}

function labelOf ({ metadata: { labels } }: KubeObject, key: string): string | undefined {
  return labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined
}
