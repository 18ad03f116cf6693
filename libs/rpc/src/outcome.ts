// What came of a call, on the calling side: a reply that fits the contract, or a failure as data.
import type { TSchema } from '@sinclair/typebox'
import { TypeCompiler, type TypeCheck } from '@sinclair/typebox/compiler'
import { err, ok, type Result } from '#core/result.js'
import { RpcErrorSchema, rpcCalls, type RpcName } from './contract.js'
import type { RpcFailure } from './failure.js'
import { jsonFrom } from './json-from.js'

const replyChecks = new Map<RpcName, TypeCheck<TSchema>>(
  (Object.keys(rpcCalls) as RpcName[]).map(name => [name, TypeCompiler.Compile<TSchema>(rpcCalls[name].reply)]))
const errorCheck = TypeCompiler.Compile(RpcErrorSchema)

/** An answer: its status and its body. */
export function outcomeOf (name: RpcName, status: number, value: unknown): Result<unknown, RpcFailure> {
  if (status >= 400) return err(failureFrom(status, value))
  if (replyChecks.get(name)!.Check(value)) return ok(value)
  return err({ code: 'INTERNAL', message: `The reply to ${name} does not fit the contract.` })
}

function failureFrom (status: number, value: unknown): RpcFailure {
  if (errorCheck.Check(value)) return value
  return { code: 'INTERNAL', message: `HTTP ${status} without an error of the contract.` }
}

/** What a response says that was to last, and does not begin. */
export async function refusedResponse (status: number, body: AsyncIterable<Uint8Array>): Promise<RpcFailure> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return failureFrom(status, jsonFrom(Buffer.concat(chunks).toString()))
}

/** Errors of sockets and of undici carry a code; anything else is a bug and goes on up. */
export function unreachable (error: unknown): RpcFailure {
  if (!(error instanceof Error && 'code' in error)) throw error
  return { code: 'UNREACHABLE', message: error.message === '' ? 'The socket cannot be reached.' : error.message }
}

export function late (deadlineMs: number): RpcFailure {
  return { code: 'DEADLINE', message: `No answer within ${deadlineMs} ms.` }
}
