// Kubernetes objects for tests, as small as they may be.
import type { ResourceMapping } from '#config/schema.js'
import type { KubeObject } from '../../src/inventory/objects/inventory.js'

type Texts = Readonly<Record<string, string>>

interface Metadata {
  readonly namespace?: string
  readonly labels?: Texts
  readonly annotations?: Texts
  readonly deletionTimestamp?: string
}

export function kubeObject (apiVersion: string, kind: string, name: string, metadata: Metadata = {}, fields: object = {}): KubeObject {
  return { apiVersion, kind, metadata: { namespace: 'games', ...metadata, name }, ...fields }
}

/** A GameServer that can be reached at `address:port`. */
export function gameServer (name: string, metadata: Metadata = {}, status: object = {}): KubeObject {
  return kubeObject('agones.dev/v1', 'GameServer', name, metadata, {
    status: { state: 'Ready', address: '10.0.0.1', ports: [{ name: 'default', port: 7777 }], ...status }
  })
}

export function mapping (fields: Partial<ResourceMapping> = {}): ResourceMapping {
  return { group: 'agones.dev', version: 'v1', resource: 'gameservers', addressPath: 'status.address', portName: 'default', ...fields }
}
