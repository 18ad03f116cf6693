// How the body of a request is coded: as it is, in chunks or not. What else there is would be read as JSON, and refused as
// if its caller had written nonsense. Pure.
import type { IncomingHttpHeaders } from 'node:http'
import type { ApiFailure } from './problem.js'

/** Undefined if a body with these headers can be read. */
export function codingFailure (headers: IncomingHttpHeaders): ApiFailure | undefined {
  const { 'transfer-encoding': transfer, 'content-encoding': content } = headers
  // RFC 9112 §6.1. If chunked is not the last one, nobody can tell where the body ends, and the parser has refused it.
  if (codingsOf(transfer).some(coding => coding !== 'chunked')) return { code: 'UNSUPPORTED_TRANSFER_ENCODING', detail: 'The only transfer coding that is read is chunked.' }
  // RFC 9110 §8.4. `identity` means that it is not coded.
  if (!hasNoBody(headers) && codingsOf(content).some(coding => coding !== 'identity')) return { code: 'UNSUPPORTED_CONTENT_ENCODING', detail: 'The body must not be compressed.' }
  return undefined
}

/** Whether it is clear from the headers that no body comes, or one of no bytes. */
export function hasNoBody ({ 'transfer-encoding': transfer, 'content-length': length }: IncomingHttpHeaders): boolean {
  return transfer === undefined && (length === undefined || Number(length) === 0)
}

function codingsOf (value: string | undefined): readonly string[] {
  return (value ?? '').split(',').map(coding => coding.trim().toLowerCase()).filter(coding => coding !== '')
}
