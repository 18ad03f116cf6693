import { stringify } from 'yaml'
import type { KeyPair } from './http-server.js'

export interface KubeconfigParts {
  readonly server: string
  readonly token: string | undefined
  readonly namespace: string
  /** PEM of the authority to trust; without it the certificate is not checked. */
  readonly ca: string | undefined
  readonly clientPair: KeyPair | undefined
}

/** A kubeconfig file with one cluster, one user, one context. */
export function kubeconfigText ({ server, token, namespace, ca, clientPair }: KubeconfigParts): string {
  const name = 'fake'
  // client-node talks plain HTTP only to clusters whose certificate it need not check.
  const trust = ca === undefined ? { 'insecure-skip-tls-verify': true } : { 'certificate-authority-data': base64(ca) }
  const credentials = clientPair === undefined ? {} : { 'client-certificate-data': base64(clientPair.cert), 'client-key-data': base64(clientPair.key) }
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, ...trust } }],
    users: [{ name, user: token === undefined ? credentials : { ...credentials, token } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace } }],
    'current-context': name
  })
}

function base64 (text: string): string {
  return Buffer.from(text).toString('base64')
}
