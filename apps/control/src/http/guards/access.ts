// CIDR lists of who may call: who is not on them gets 403.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Access } from '#config/schema.js'
import { addressBlock, type AddressBlock } from '#wire/address-block.js'
import type { Listener } from '../listener/listener.js'
import { sendProblem } from '../problems/problem.js'
import { isCounted, isGuarded } from './callers.js'
import type { GuardDeps } from './guard-deps.js'

/** Refuses callers that `queryAccess` or `adminAccess` does not let in. */
export function addAccess (app: FastifyInstance, { config, metrics }: Pick<GuardDeps, 'config' | 'metrics'>, listener: Listener): void {
  const isAllowed = createAccessList(listener === 'public' ? config.queryAccess : config.adminAccess)
  if (isAllowed === undefined) return
  // The public document is for everybody; the page of the admin listener is without a key, but not without an address.
  const isListed = (request: FastifyRequest): boolean => isCounted(request) && (listener === 'admin' || isGuarded(listener, request))
  app.addHook('onRequest', (request, reply, done) => {
    if (!isListed(request) || isAllowed(request.caller.words)) { done(); return }
    metrics.requestRefused(listener, 'access')
    sendProblem(reply, { code: 'ACCESS_DENIED', detail: 'This address may not call here.' })
  })
}

/** Whether an address, as its words, may call: `deny` wins, and `allow`, if given, must have it. */
export type AccessList = (words: ArrayLike<number>) => boolean

/** Undefined if the lists let everybody in. Throws on a block that is not CIDR, which the configuration has checked. */
export function createAccessList ({ allow, deny = [] }: Access): AccessList | undefined {
  if (allow === undefined && deny.length === 0) return undefined
  const allowed = allow?.map(blockFrom)
  const denied = deny.map(blockFrom)
  const isIn = (words: ArrayLike<number>, blocks: readonly AddressBlock[]): boolean => blocks.some(contains => contains(words))
  return words => !isIn(words, denied) && (allowed === undefined || isIn(words, allowed))
}

function blockFrom (text: string): AddressBlock {
  const block = addressBlock(text)
  if (block === undefined) throw new Error(`${text} is not a CIDR block`)
  return block
}
