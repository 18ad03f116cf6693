// Certificates made on the spot: an authority and what it signs (RFC 5280). Keys are fresh in every process, so that none
// lies in the repository and none expires there. Node makes keys and signatures, but no certificates.
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { isIPv4 } from 'node:net'
import { bits, explicit, implicit, integer, octets, oid, sequence, set, text, time, yes } from './der.js'
import type { KeyPair } from './http-server.js'

/** What a certificate is for. Times are those of the system: TLS knows no other clock. */
export interface CertificateWish {
  readonly commonName: string
  /** DNS names and IPv4 addresses of a server; none for a client. */
  readonly hosts?: readonly string[]
  readonly expired?: boolean
}

const HOUR_MS = 3_600_000
const ECDSA_WITH_SHA256 = sequence(oid('1.2.840.10045.4.3.2'))
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'

export class Authority {
  readonly #commonName: string
  readonly #key: KeyObject
  /** PEM. */
  readonly certificate: string
  #serial = 1

  constructor (commonName: string) {
    const pair = newPair()
    this.#commonName = commonName
    this.#key = pair.privateKey
    // keyCertSign and cRLSign.
    const extensions = [extension('2.5.29.19', sequence(yes), true), extension('2.5.29.15', bits(Buffer.from([0x06]), 1), true)]
    this.certificate = this.#certificate(commonName, pair.publicKey, extensions, false)
  }

  issue ({ commonName, hosts = [], expired = false }: CertificateWish): KeyPair {
    const pair = newPair()
    const names = hosts.map(host => isIPv4(host) ? implicit(7, Buffer.from(host.split('.').map(Number))) : implicit(2, Buffer.from(host)))
    const extensions = [
      // digitalSignature.
      extension('2.5.29.15', bits(Buffer.from([0x80]), 7), true),
      extension('2.5.29.37', sequence(oid(hosts.length > 0 ? SERVER_AUTH : CLIENT_AUTH)), false),
      ...(names.length > 0 ? [extension('2.5.29.17', sequence(...names), false)] : [])
    ]
    return {
      key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      cert: this.#certificate(commonName, pair.publicKey, extensions, expired)
    }
  }

  #certificate (subject: string, publicKey: KeyObject, extensions: readonly Buffer[], expired: boolean): string {
    // eslint-disable-next-line no-restricted-syntax -- who verifies it asks the real clock; days are room enough
    const now = Date.now()
    const body = sequence(
      explicit(0, integer(2)),
      integer(this.#serial++),
      ECDSA_WITH_SHA256,
      nameOf(this.#commonName),
      sequence(time(now - 48 * HOUR_MS), time(expired ? now - HOUR_MS : now + 48 * HOUR_MS)),
      nameOf(subject),
      publicKey.export({ type: 'spki', format: 'der' }),
      explicit(3, sequence(...extensions))
    )
    return pem(sequence(body, ECDSA_WITH_SHA256, bits(sign('sha256', body, this.#key))))
  }
}

function newPair (): { readonly publicKey: KeyObject, readonly privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

function nameOf (commonName: string): Buffer {
  return sequence(set(sequence(oid('2.5.4.3'), text(commonName))))
}

function extension (id: string, value: Buffer, critical: boolean): Buffer {
  return sequence(oid(id), ...(critical ? [yes] : []), octets(value))
}

function pem (der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}
