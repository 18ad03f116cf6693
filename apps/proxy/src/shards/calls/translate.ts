// Between the words of the contract and those of the core: targets by data port name or index, sessions, token grants.
import type { Session, Target as RpcTarget } from '#rpc/contract.js'
import { addressWords } from '#wire/address.js'
import type { Token } from '#wire/token.js'
import type { Grant, SessionView } from '../../core/sessions/operations.js'
import type { TargetSpec } from '../../core/tables/target-table.js'
import type { ClaimedGrant } from './token-claims.js'

// No datagram comes from a multicast address: a token whose client cannot be read is nobody's, rather than anybody's.
const nobody = new Uint32Array([0xff00_0000, 0, 0, 0])

export class Translator {
  readonly #names: readonly string[]

  /** @param dataPortNames in the order of the core's data port numbers */
  constructor (dataPortNames: readonly string[]) {
    this.#names = dataPortNames
  }

  /** Ports of data ports that are not configured here are left out. */
  targetSpec (target: RpcTarget): TargetSpec {
    return { key: target.key, address: target.address, ports: this.#names.map(name => Object.hasOwn(target.ports, name) ? target.ports[name]! : 0) }
  }

  rpcTarget (target: TargetSpec): RpcTarget {
    const ports = this.#names.map((name, index) => [name, target.ports[index]!] as const).filter(([, port]) => port > 0)
    return { key: target.key, address: target.address, ports: Object.fromEntries(ports) }
  }

  grant (grant: ClaimedGrant): Grant {
    const consumed = (grant.consumed ?? []).reduce((mask, name) => mask | this.#bit(name), 0)
    const client = grant.client === undefined ? undefined : addressWords(grant.client) ?? nobody
    return { token: grant.token as Token, target: this.targetSpec(grant.target), ttlMs: grant.ttlMs, consumed, claim: grant.claim, client }
  }

  session (view: SessionView): Session {
    return { ...view, target: this.rpcTarget(view.target) }
  }

  dataPortName (index: number): string {
    return this.#names[index]!
  }

  /** Those whose bits are set: bit i is data port i. */
  dataPortNames (mask: number): string[] {
    return this.#names.filter((_, index) => (mask >>> index & 1) === 1)
  }

  #bit (name: string): number {
    const index = this.#names.indexOf(name)
    return index < 0 ? 0 : 1 << index
  }
}
