// Whether what crosses the boundary fits the contract: the checks that client and server make on a real socket.
import type { TSchema } from '@sinclair/typebox'
import { TypeCompiler, type TypeCheck } from '@sinclair/typebox/compiler'
import { EventSchema, RpcErrorSchema, rpcCalls, type RpcName } from '#rpc/contract.js'
import type { Watch } from './invariants.js'

type Part = 'params' | 'query' | 'body' | 'reply'

const checks = new Map<string, TypeCheck<TSchema>>()
for (const [name, call] of Object.entries(rpcCalls)) {
  for (const part of ['params', 'query', 'body', 'reply'] as const) {
    const schema = (call as Partial<Record<Part, TSchema>>)[part]
    if (schema !== undefined) checks.set(`${name} ${part}`, TypeCompiler.Compile(schema))
  }
}
const eventCheck = TypeCompiler.Compile(EventSchema)
const errorCheck = TypeCompiler.Compile(RpcErrorSchema)

export function holdRequest (watch: Watch, name: RpcName, input: Readonly<Record<string, unknown>>): void {
  for (const part of ['params', 'query', 'body'] as const) {
    const check = checks.get(`${name} ${part}`)
    if (check !== undefined) watch.hold('callsFitTheContract', check.Check(input[part]), `${part} of ${name}`)
  }
}

export function holdReply (watch: Watch, name: RpcName, reply: unknown): void {
  watch.hold('callsFitTheContract', checks.get(`${name} reply`)!.Check(reply), `the reply to ${name}`)
}

export function holdError (watch: Watch, name: RpcName, error: unknown): void {
  watch.hold('callsFitTheContract', errorCheck.Check(error), `the failure of ${name}`)
}

export function holdEvent (watch: Watch, event: unknown): void {
  watch.hold('callsFitTheContract', eventCheck.Check(event), 'an event')
}
