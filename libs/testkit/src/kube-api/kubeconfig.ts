import { stringify } from 'yaml'

export interface KubeconfigParts {
  readonly server: string
  readonly token: string | undefined
  readonly namespace: string
  /** PEM of the authority to trust; without it the certificate is not checked. */
  readonly ca?: string
}

/** A kubeconfig file with one cluster, one user, one context. */
export function kubeconfigText ({ server, token, namespace, ca }: KubeconfigParts): string {
  const name = 'fake'
  // client-node talks plain HTTP only to clusters whose certificate it need not check.
  const trust = ca === undefined ? { 'insecure-skip-tls-verify': true } : { 'certificate-authority-data': Buffer.from(ca).toString('base64') }
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, ...trust } }],
    users: [{ name, user: token === undefined ? {} : { token } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace } }],
    'current-context': name
  })
}
