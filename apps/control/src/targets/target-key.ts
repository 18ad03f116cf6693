// The key of a target that is an object of the inventory, `type/namespace/name`, and back.
import { addressWords } from '#wire/address.js'

export interface ObjectName {
  readonly resourceType: string
  readonly namespace: string
  readonly name: string
}

export function targetKey ({ resourceType, namespace, name }: ObjectName): string {
  return `${resourceType}/${namespace}/${name}`
}

/** The object that a key stands for; undefined for the key of a mere address, `address/192.0.2.1/7777`. */
export function objectFromKey (key: string): ObjectName | undefined {
  const [resourceType = '', namespace = '', ...rest] = key.split('/')
  if (rest.length === 0 || addressWords(namespace) !== undefined) return undefined
  return { resourceType, namespace, name: rest.join('/') }
}
