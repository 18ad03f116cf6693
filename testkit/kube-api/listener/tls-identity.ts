// Who the server says it is under TLS, and whom it lets in by certificate: one authority at a time for both.
import { Authority, type CertificateWish } from './certificate.js'
import type { KeyPair, TlsOptions } from './http-server.js'

/** How the next certificate of the server differs from a good one. */
export interface NewCertificate {
  /** Signed by an authority made for it; the kubeconfig names that one from now on. */
  readonly newAuthority?: boolean
  /** For other names than the server's own. */
  readonly hosts?: readonly string[]
  readonly expired?: boolean
}

export class TlsIdentity {
  #authority = new Authority('fake authority 1')
  #authorities = 1

  /** PEM of the authority to trust. */
  get authority (): string {
    return this.#authority.certificate
  }

  /** A fresh certificate for the server. */
  renew ({ newAuthority = false, hosts = ['127.0.0.1', 'localhost'], expired = false }: NewCertificate = {}): TlsOptions {
    if (newAuthority) this.#authority = new Authority(`fake authority ${++this.#authorities}`)
    const wish: CertificateWish = { commonName: 'fake kube-apiserver', hosts, expired }
    return { ...this.#authority.issue(wish), ca: this.authority }
  }

  clientCertificate (commonName: string): KeyPair {
    return this.#authority.issue({ commonName })
  }
}
