// What a caller is told about a token that was issued for it.
import type { Static } from '@sinclair/typebox'
import type { Hello, Target } from '#rpc/contract.js'
import type { IssuedTokenSchema } from '../schemas/query.js'
import type { IssuedToken } from '../../tokens/token-issuer.js'

export type TokenAnswer = Static<typeof IssuedTokenSchema>

/** The answer for `issued`, given what the proxy has bound. */
export function tokenAnswer (issued: IssuedToken, bound: Hello['dataPorts'], exposeTarget: boolean): TokenAnswer {
  const { token, issuedAtMs, ttlSeconds, target } = issued
  const answer = {
    token,
    expiresAt: new Date(issuedAtMs + ttlSeconds * 1000).toISOString(),
    ttlSeconds,
    dataPorts: dataPortsFor(target, bound)
  }
  return exposeTarget ? { ...answer, address: target.address, ports: target.ports } : answer
}

// A data port the target has no port for would drop every datagram, so it is not offered.
function dataPortsFor (target: Target, bound: Hello['dataPorts']): TokenAnswer['dataPorts'] {
  const dataPorts: TokenAnswer['dataPorts'] = []
  for (const { name, port } of bound) if (Object.hasOwn(target.ports, name)) dataPorts.push({ name, protocol: 'udp', port })
  return dataPorts
}
