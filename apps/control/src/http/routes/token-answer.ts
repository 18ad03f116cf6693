// What a caller is told about a token that was issued for it.
import type { Static } from '@sinclair/typebox'
import type { Config } from '#config/schema.js'
import type { Hello, Target } from '#rpc/contract.js'
import type { Advertised, Told } from '../../advertise/advertised.js'
import type { ProxyPeer } from '../../proxies/proxy-peer.js'
import type { IssuedTokenSchema } from '../schemas/query.js'
import type { IssuedToken } from '../../tokens/token-issuer.js'

export type TokenAnswer = Static<typeof IssuedTokenSchema>

export interface AnswerDeps {
  readonly config: Pick<Config, 'exposeTarget'>
  readonly link: Pick<ProxyPeer, 'dataPorts'>
  readonly advertised: Pick<Advertised, 'told'>
}

/** The answer for `issued`, with where datagrams go as it is known now. */
export function tokenAnswer (issued: IssuedToken, { config: { exposeTarget }, link, advertised }: AnswerDeps): TokenAnswer {
  const { token, issuedAtMs, ttlSeconds, target } = issued
  const told = advertised.told()
  // The gate was open when the token was asked for, and what is told then is told for ever.
  if (!told.ok) throw new Error(`a token was issued before its address was known: ${told.error}`)
  const { queryUrl } = told.value
  const answer = {
    token,
    expiresAt: new Date(issuedAtMs + ttlSeconds * 1000).toISOString(),
    ttlSeconds,
    dataPorts: dataPortsFor(target, link.dataPorts, told.value),
    ...(queryUrl === undefined ? {} : { queryUrl })
  }
  return exposeTarget ? { ...answer, address: target.address, ports: target.ports } : answer
}

// A data port the target has no port for would drop every datagram, so it is not offered.
function dataPortsFor (target: Target, bound: Hello['dataPorts'], { address, ports }: Told): TokenAnswer['dataPorts'] {
  const dataPorts: TokenAnswer['dataPorts'] = []
  for (const { name, port } of bound) {
    if (Object.hasOwn(target.ports, name)) dataPorts.push({ name, protocol: 'udp', port: ports[name] ?? port, ...(address === undefined ? {} : { address }) })
  }
  return dataPorts
}
