// Which mapped objects a change may concern: the one that changed, and those that a Service stands for.
import type { ResourceMapping } from '#config/schema.js'
import type { InventoryChange, KubeObject } from '../../inventory/objects/inventory.js'
import { isService, isServiceBased, SERVICES_TYPE } from '../../inventory/objects/resource-types.js'
import type { ObjectName } from '../target-key.js'

export type TouchedObjects = (change: InventoryChange) => readonly ObjectName[]

/** Compiled for the configured mappings. A Service that changed its label concerns two objects. */
export function compileTouchedObjects (mappings: Readonly<Record<string, ResourceMapping>>): TouchedObjects {
  const byService = Object.entries(mappings).flatMap(([resourceType, mapping]) => {
    const label = mapping.serviceSelectorLabel
    return label !== undefined && isServiceBased(mapping) && !isService(mapping) ? [{ resourceType, label }] : []
  })
  return change => {
    const { resourceType, namespace, before, after } = change
    if (resourceType !== SERVICES_TYPE) return [change]
    return byService.flatMap(({ resourceType, label }) =>
      [...new Set([nameIn(before, label), nameIn(after, label)])].flatMap(name => name === undefined ? [] : [{ resourceType, namespace, name }]))
  }
}

function nameIn (service: KubeObject | undefined, label: string): string | undefined {
  const labels = service?.metadata.labels ?? {}
  return Object.hasOwn(labels, label) ? labels[label] : undefined
}
