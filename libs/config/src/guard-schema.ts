// Who may call an HTTP listener, and what it must bring: the same keys for the public API and for the admin API.
import { Type } from '@sinclair/typebox'
import { closed, OneOf } from './schema-kinds.js'

/** Signatures that a public key verifies. Those with a shared secret are not among them: a public key could be passed off as one. */
export const jwtAlgorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const

const Blocks = (description: string) => Type.Optional(Type.Array(Type.String({ minLength: 1 }), { maxItems: 1000, description }))

export const AccessSchema = Type.Object({
  allow: Blocks('CIDR blocks; if given, only callers in one of them are served, all others are answered 403.'),
  deny: Blocks('CIDR blocks whose callers are answered 403, whatever `allow` says.')
}, { ...closed, default: {} })

export const AuthSchema = Type.Object({
  type: OneOf(['none', 'keys', 'jwt'], 'What a request must bring as `Authorization: Bearer …`: nothing, a key of `keysFile`, or a signed token (JWT).', 'none'),
  keysFile: Type.Optional(Type.String({ minLength: 1, description: '`keys`: a file with one key a line, or `name: key`; relative to the configuration file. It is read again when it changes.' })),
  jwksFile: Type.Optional(Type.String({ minLength: 1, description: '`jwt`: a file with the public keys (JWKS), relative to the configuration file. It is read again when it changes.' })),
  jwksUrl: Type.Optional(Type.String({ minLength: 1, description: '`jwt`: where to fetch the public keys (JWKS) from. They are fetched again every five minutes, and when a token names an unknown one.' })),
  issuer: Type.Optional(Type.String({ minLength: 1, description: '`jwt`: what `iss` must be.' })),
  audience: Type.Optional(Type.String({ minLength: 1, description: '`jwt`: what `aud` must be or contain.' })),
  algorithms: Type.Array(OneOf(jwtAlgorithms, 'A signature algorithm.', 'RS256'), { minItems: 1, maxItems: jwtAlgorithms.length, default: ['RS256', 'ES256', 'EdDSA'], description: '`jwt`: signature algorithms that are accepted.' }),
  clockToleranceSeconds: Type.Integer({ minimum: 0, maximum: 300, default: 10, description: '`jwt`: how far the clocks of issuer and director may be apart.' })
}, { ...closed, default: {} })
