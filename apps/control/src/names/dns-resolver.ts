// Host names by the DNS protocol itself (c-ares) and not by the system's getaddrinfo: that occupies a thread of the pool
// for as long as the DNS is silent, says no TTL, and completes names by a search list that a pod's namespace is part of.
import { Resolver } from 'node:dns/promises'
import { err, ok, type Result } from '#core/result.js'
import type { NameResolver } from './host-names.js'
import type { NameAnswer, NameFailure } from './known-name.js'

interface RecordWithTtl {
  readonly address: string
  readonly ttl: number
}

export interface DnsResolverOptions {
  /** `address:port` of the servers, instead of those of the system. */
  readonly servers?: readonly string[]
  /** For the first attempt, in milliseconds; the second may take twice as long. */
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 2000
const ATTEMPTS = 2
// When one family was answered and the other was not: soon enough to notice that it is back.
const HALF_ANSWER_TTL_SECONDS = 30

// RFC 2308: a name that does not exist (NXDOMAIN), and one without records of that type.
const definite: ReadonlySet<unknown> = new Set(['ENOTFOUND', 'ENODATA'])

/** A resolver that asks for IPv4 and IPv6 addresses. The system's servers are read once, now. */
export function createDnsResolver ({ servers, timeoutMs = TIMEOUT_MS }: DnsResolverOptions = {}): NameResolver {
  const dns = new Resolver({ timeout: timeoutMs, tries: ATTEMPTS })
  if (servers !== undefined) dns.setServers(servers)
  return {
    resolve: async name => {
      const [ipv4, ipv6] = await Promise.all([recordsOf(dns.resolve4(name, { ttl: true })), recordsOf(dns.resolve6(name, { ttl: true }))])
      return joined(ipv4, ipv6)
    },
    close: () => { dns.cancel() }
  }
}

type Records = Result<readonly RecordWithTtl[], NameFailure>

async function recordsOf (lookup: Promise<readonly RecordWithTtl[]>): Promise<Records> {
  try {
    const records = await lookup
    return records.length > 0 ? ok(records) : err('no_address')
  } catch (error) {
    return err(definite.has((error as NodeJS.ErrnoException).code) ? 'no_address' : 'no_answer')
  }
}

function joined (...families: readonly Records[]): Result<NameAnswer, NameFailure> {
  const isWhole = families.every(family => family.ok || family.error === 'no_address')
  const records = families.flatMap(family => family.ok ? family.value : [])
  if (records.length === 0) return err(isWhole ? 'no_address' : 'no_answer')
  const ttls = records.map(({ ttl }) => ttl)
  return ok({ addresses: records.map(({ address }) => address), ttlSeconds: Math.min(...ttls, ...isWhole ? [] : [HALF_ANSWER_TTL_SECONDS]) })
}
