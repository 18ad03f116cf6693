// Follows the address in one Kubernetes object: reads it again and again, since one `get` of one name is the least that a Role can
// allow. What is known stays in force whatever becomes of the object or the API server, and the fault is told.
import type { BaseLogger } from 'pino'
import { backOffMs, LAST_CHEAP_DELAY_MS, LAST_DEAR_DELAY_MS } from '#core/back-off.js'
import type { Clock } from '#core/clock.js'
import { err, type Result } from '#core/result.js'
import type { ApiFailure } from '../inventory/kubernetes/api/api-failure.js'
import { commonCauses, serverCause } from '../inventory/kubernetes/api/describe-fault.js'
import { pathOf } from '../inventory/kubernetes/api/source.js'
import type { Transport } from '../inventory/kubernetes/api/transport.js'
import { Attempts, silent } from '../inventory/kubernetes/reflector/attempts.js'
import { DENIED_MS } from '../inventory/kubernetes/reflector/reflector-state.js'
import type { AdvertisedStatus, KnownAddress } from './advertised.js'
import type { AddressOf } from './object-address.js'

/** One object of the core group. */
export interface ObjectName {
  readonly kind: 'Service' | 'Node'
  /** Undefined for a Node, which is in none. */
  readonly namespace: string | undefined
  readonly name: string
}

export interface FollowDeps {
  readonly object: ObjectName
  readonly addressOf: AddressOf
  readonly transport: Pick<Transport, 'list' | 'refreshCredentials' | 'credentialsMark' | 'close'>
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly log: Pick<BaseLogger, 'info' | 'warn'>
}

/** How soon a change of a known address is seen. The answer is from the API server's cache, so many replicas cost it little. */
export const KNOWN_MS = 10_000
/** The same while a load balancer is being made. */
export const AWAITED_MS = 2000
const READ_MS = 10_000

type Fault = Pick<ApiFailure, 'detail'> & { readonly summary: string, readonly reason: ApiFailure['reason'] | 'no_address' }

/** Begins to follow. */
export function followObject (deps: FollowDeps): KnownAddress {
  const follower = new Follower(deps)
  return { current: () => follower.current, close: async () => { await follower.close() } }
}

class Follower {
  readonly #deps: FollowDeps
  readonly #attempts: Attempts
  readonly #path: string
  readonly #run: Promise<void>
  #address: string | undefined
  #fault: Fault | undefined
  // In a row.
  #failures = 0
  #deniedSinceMs: number | undefined

  constructor (deps: FollowDeps) {
    const { transport, clock, object } = deps
    this.#deps = deps
    this.#attempts = new Attempts(clock, transport)
    this.#path = pathOfObject(object)
    // Nobody catches what it throws: it is a bug, and main.ts ends the process for it.
    this.#run = this.#follow()
  }

  get current (): AdvertisedStatus {
    return { address: this.#address, fault: this.#fault === undefined ? undefined : `${this.#fault.summary}.` }
  }

  async close (): Promise<void> {
    this.#attempts.stop()
    await this.#deps.transport.close()
    await this.#run
  }

  async #follow (): Promise<void> {
    const { transport } = this.#deps
    while (!this.#attempts.isStopped) {
      const mark = await transport.credentialsMark()
      await this.#take(await this.#read(), mark)
    }
  }

  async #take (found: Result<unknown, ApiFailure>, mark: string): Promise<void> {
    if (this.#attempts.isStopped) return
    // Credentials that were refused may be changed while it waits.
    if (found.ok) await this.#attempts.wait(this.#found(found.value))
    else await this.#attempts.wait(this.#failed(found.error), mark)
  }

  async #read (): Promise<Result<unknown, ApiFailure>> {
    const watchdog = this.#attempts.begin(READ_MS, READ_MS)
    const read = await this.#deps.transport.list(this.#path, { resourceVersion: 0 }, { signal: watchdog.signal, onLife: () => undefined })
    watchdog.end()
    return read.ok || watchdog.overrun === undefined ? read : err(silent)
  }

  // Both answer how long to wait for the next attempt.

  #found (object: unknown): number {
    this.#failures = 0
    this.#deniedSinceMs = undefined
    const address = this.#deps.addressOf(object)
    if (address.ok) this.#know(address.value)
    else this.#tell({ summary: `${nameOf(this.#deps.object)} ${address.error}`, detail: '', reason: 'no_address' })
    return address.ok ? KNOWN_MS : AWAITED_MS
  }

  #failed (failure: ApiFailure): number {
    const { transport, clock, random, object } = this.#deps
    const { reason, detail, retryAfterMs } = failure
    this.#failures++
    const isDenied = reason === 'forbidden' || reason === 'not_found'
    this.#deniedSinceMs = isDenied ? this.#deniedSinceMs ?? clock.now() : undefined
    // A server that starts says so until it has read its roles: see reflector-state.ts.
    const isUnsure = isDenied && this.#address !== undefined && clock.now() - (this.#deniedSinceMs ?? 0) < DENIED_MS
    if (!isUnsure) this.#tell({ summary: summaryOf(object, reason), detail, reason })
    const isDear = reason === 'unauthorized' || reason === 'untrusted' || reason === 'no_credentials'
    if (isDear || reason === 'unreachable') transport.refreshCredentials()
    return retryAfterMs ?? backOffMs(this.#failures, random(), isDear ? LAST_DEAR_DELAY_MS : LAST_CHEAP_DELAY_MS)
  }

  #know (address: string): void {
    const { log, object } = this.#deps
    const fields = { address, of: nameOf(object) }
    if (this.#address === undefined) log.info(fields, 'Advertised address is known')
    else if (this.#address !== address) log.info({ ...fields, before: this.#address }, 'Advertised address has changed, new answers tell the new one')
    else if (this.#fault !== undefined) log.info(fields, 'Advertised address can be read again')
    this.#address = address
    this.#fault = undefined
  }

  #tell (fault: Fault): void {
    const { log } = this.#deps
    const { summary, detail } = fault
    if (this.#fault?.summary !== summary) {
      log.warn({ fault: summary, ...(detail === '' ? {} : { detail }), address: this.#address }, this.#address === undefined ? 'Advertised address is not known yet, no token is handed out' : 'Advertised address cannot be read, the last one is told')
    }
    this.#fault = fault
  }
}

function pathOfObject ({ kind, namespace, name }: ObjectName): string {
  return `${pathOf({ group: '', version: 'v1', resource: resourceOf(kind), namespace })}/${encodeURIComponent(name)}`
}

function resourceOf (kind: ObjectName['kind']): string {
  return kind === 'Service' ? 'services' : 'nodes'
}

function nameOf ({ kind, namespace, name }: ObjectName): string {
  return namespace === undefined ? `${kind} ${name}` : `${kind} ${name} of namespace ${namespace}`
}

function summaryOf (object: ObjectName, reason: ApiFailure['reason']): string {
  const common = commonCauses[reason]
  if (common !== undefined) return common
  if (reason === 'not_found') return `There is no ${nameOf(object)}`
  return `Cannot get ${nameOf(object)}: ${reason === 'forbidden' ? `not allowed; it takes a ${roleOf(object)}` : serverCause(reason)}`
}

function roleOf ({ kind, namespace }: ObjectName): string {
  return `${namespace === undefined ? 'ClusterRole' : 'Role'} with apiGroups: [""], resources: ["${resourceOf(kind)}"], verbs: ["get"]`
}
