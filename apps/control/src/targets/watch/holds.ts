// Whether the absence of an object means anything: a session can outlive the configuration that let it begin.
import type { Config } from '#config/schema.js'
import { sourcesFrom } from '../../inventory/kubernetes/api/source.js'

export type Holds = (resourceType: string, namespace: string) => boolean

/** Whether an inventory of this configuration holds the objects of a type and namespace. Files may have any namespace. */
export function compileHolds (config: Pick<Config, 'resourceQueryMapping' | 'namespaces' | 'defaultEndpoint' | 'inventory'>): Holds {
  if (config.inventory.provider === 'file') return resourceType => Object.hasOwn(config.resourceQueryMapping, resourceType)
  const sources = sourcesFrom(config)
  return (resourceType, namespace) => sources.some(source => source.types.includes(resourceType) && (source.namespace ?? namespace) === namespace)
}
