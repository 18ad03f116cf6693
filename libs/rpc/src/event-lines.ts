// The lines of the event stream, on the reading side.
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { err, ok, type Result } from '#core/result.js'
import { EventSchema, type RpcEvent } from './contract.js'
import { jsonFrom } from './json-from.js'

/** Longest event line, in bytes. 10,000 targets with keys of 100 characters fit. */
export const MAX_EVENT_LINE_BYTES = 1024 * 1024

const eventCheck = TypeCompiler.Compile(EventSchema)

/** The event a line holds. */
export function eventFromLine (line: string): Result<RpcEvent, 'BAD_LINE'> {
  const value = jsonFrom(line)
  return eventCheck.Check(value) ? ok(value) : err('BAD_LINE')
}
