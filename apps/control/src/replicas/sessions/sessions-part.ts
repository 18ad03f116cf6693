// Sessions over replicas, put together: each goes on wherever its client's datagrams arrive. What the own proxy says goes to the store,
// what others say to the own proxy, and who is asked about is looked up.
import type { Binding } from '#rpc/replica-schemas.js'
import type { ReplicaPart } from '../parts/replica-part.js'
import { BindingWriter } from './binding-writer.js'
import { Follow } from './follow.js'
import { KeepRounds } from './keep-rounds.js'
import { KnownBindings } from './known-bindings.js'
import { Messages } from './messages.js'
import { OwnProxy } from './own-proxy.js'
import { Returns } from './returns.js'
import type { SessionContext } from './session-context.js'
import { createSharedSessions, type SharedSessions } from './shared-sessions.js'

export interface SessionsPart extends ReplicaPart {
  readonly shared: SharedSessions
}

export function createSessionsPart (context: SessionContext): SessionsPart {
  const { clock, store, proxy } = context
  const known = new KnownBindings(context.maxSessions)
  const ownProxy = new OwnProxy(clock, proxy)
  const writer: BindingWriter = new BindingWriter({ context, known, ownProxy, onIdle: client => { messages.settled(client) } })
  const rounds = new KeepRounds({ context, known, writer })
  const follow = new Follow(context, known)
  const returns = new Returns({
    clock,
    find: async client => await proxy.find(client),
    onReturned: binding => { writer.returned(binding) }
  })
  const messages: Messages = new Messages({
    context,
    known,
    ownProxy,
    isBusy: client => writer.isBusy(client),
    onSeenElsewhere: client => { returns.seenElsewhere(client) }
  })
  return {
    shared: createSharedSessions(context),
    onStoreUp: async () => {
      writer.open()
      await rounds.begin()
    },
    onStoreDown: () => {
      writer.shut()
      rounds.stop()
    },
    onProxyUp: () => {
      // It told nobody what happened since it was last heard.
      known.forgetSequences()
      ownProxy.forget()
      if (store.status === 'up') void rounds.begin()
    },
    onMessage: message => { if (message.type === 'elsewhere') messages.hear(message) },
    onClientAsked: asked => { follow.ask(asked) },
    onBinding: (change, binding: Binding) => {
      if (change === 'expired' || change === 'ended') returns.over(binding.client)
      writer.changed(change, binding)
    },
    close: () => {
      writer.close()
      rounds.stop()
      returns.close()
    }
  }
}
