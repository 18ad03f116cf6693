// Both processes, whoever started them: what people and programs do with a director.
import { callHttp, tokenOf, type HttpAnswer } from './http.js'
import { Driven } from './driven.js'

/** The body of a query; what it leaves out is any GameServer in the namespace `games`. */
export interface Query {
  readonly resourceType?: string
  readonly namespace?: string
  readonly [field: string]: unknown
}

export interface TokenTarget {
  readonly address?: string
  readonly ports: Readonly<Record<string, number>>
  readonly [field: string]: unknown
}

export abstract class Director extends Driven {
  /** Ports of control, as they are now. */
  abstract readonly queryPort: number
  abstract readonly adminPort: number
  /** The address that its APIs are asked at. */
  protected readonly host: string = '127.0.0.1'

  get queryUrl (): string {
    return `http://${this.host}:${this.queryPort}`
  }

  get adminUrl (): string {
    return `http://${this.host}:${this.adminPort}`
  }

  async admin (method: string, path: string, body?: unknown): Promise<HttpAnswer> {
    return await callHttp(this.adminUrl, method, path, body)
  }

  async public (method: string, path: string, body?: unknown): Promise<HttpAnswer> {
    return await callHttp(this.queryUrl, method, path, body)
  }

  /** The token that a query gets. Throws what it was answered instead. */
  async query (query: Query = {}): Promise<string> {
    return tokenOf(await this.public('POST', '/query', { resourceType: 'gameserver', namespace: 'games', ...query }))
  }

  /** A token that leads to this target; its address is 127.0.0.1 unless it says otherwise. */
  async tokenFor (target: TokenTarget): Promise<string> {
    return tokenOf(await this.admin('POST', '/tokens', { address: '127.0.0.1', ...target }))
  }

  /** The text of `/metrics`. */
  async metrics (): Promise<string> {
    return String((await this.admin('GET', '/metrics')).body)
  }

  /** Whether it answers queries. */
  protected async isReady (): Promise<boolean> {
    return (await this.admin('GET', '/readyz')).status === 200
  }
}
