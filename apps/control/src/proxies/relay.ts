// From the events of a proxy to those of the hub: what its readers get to know of each.
import type { RpcEvent } from '#rpc/contract.js'
import type { Token } from '#wire/token.js'
import type { EventRelay } from '../events/event-sink.js'
import { kindsOfProxies, tokenPrefix } from '../events/hub-kinds.js'

/** Passes an event on, if it is of a kind that the hub has; lines that the proxy left out are told as lost. */
export function relay (event: RpcEvent, events: Pick<EventRelay, 'publish' | 'lost'>): void {
  if (event.type === 'session') events.publish('session', () => withoutType(event))
  else if (event.type === 'target') events.publish('target', () => withoutType(event))
  else if (event.type === 'redeemed') {
    const { token, dataPort, sessionId } = event
    events.publish('token_redeemed', () => ({ tokenPrefix: tokenPrefix(token as Token), dataPort, sessionId }))
  } else if (event.type === 'skipped') {
    const kind = kindsOfProxies.get(event.kind)
    if (kind !== undefined) events.lost(kind, event.lines, false)
  }
}

function withoutType<Event extends { readonly type: string }> ({ type, ...data }: Event): Omit<Event, 'type'> {
  return data
}
