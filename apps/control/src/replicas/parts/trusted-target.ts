// What comes out of the store was written by somebody else. Where it would send a client is held to the same rules as what the
// inventory says: whoever can write to the store cannot make this director send to its own host or to a cloud's metadata service.
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { TargetSchema, type Target } from '#rpc/contract.js'
import type { ReplicaContext } from './replica-part.js'

const check = TypeCompiler.Compile(TargetSchema)

/** Whether datagrams may be sent to a target from the store; one that may not is counted and told. `of`: whose it is, for the log. */
export function isTrusted (target: Target, of: { readonly tokenPrefix: string } | { readonly client: string }, { policy, metrics, events }: Pick<ReplicaContext, 'policy' | 'metrics' | 'events'>): boolean {
  const isTarget = check.Check(target)
  const reason = isTarget ? policy.check(target)?.reason : 'malformed'
  if (reason === undefined) return true
  metrics.targetRefused()
  events.publish('store', () => ({ change: 'target_refused', reason, ...isTarget ? { address: target.address } : {}, ...of }))
  return false
}
