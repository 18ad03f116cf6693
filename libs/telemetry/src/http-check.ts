// Whether one of our own HTTP servers answers: for the health checks of container images, which have no curl.
import { get, type RequestOptions } from 'node:http'

const TIMEOUT_MS = 4000

/** What is wrong with the answer to a GET, for people; undefined if it is a 200 within 4 s. */
export async function httpFault (request: RequestOptions): Promise<string | undefined> {
  return await new Promise(resolve => {
    get({ ...request, signal: AbortSignal.timeout(TIMEOUT_MS) }, answer => {
      answer.resume()
      resolve(answer.statusCode === 200 ? undefined : `It answers ${String(answer.statusCode)}.`)
    }).on('error', error => { resolve(error.message) })
  })
}
