// What one control process has of the store: the twin's connection, which ends with the process. What the store says is told to the
// book of all directors; bugs are planted here.
import type { BindingKeep, SharedStore, StoreEvents } from '../../apps/control/src/store/shared-store.js'
import type { StoreUser, WorldStore } from '../cast/world-store.js'
import type { Surroundings } from './surroundings.js'

/** Of a plant, in ms. */
const MOMENT_MS = 500

/** What the process hears, as long as it lives. */
export function heardBy ({ isAlive }: StoreUser, { onUp, onDown, onMessage, onNewerRecord, onCall }: StoreEvents): StoreEvents {
  const heard = <Given extends unknown[]>(hear: (...given: Given) => void) => (...given: Given): void => { if (isAlive()) hear(...given) }
  return {
    onUp: heard(onUp),
    onDown: heard(onDown),
    onMessage: heard(onMessage),
    onNewerRecord: heard(onNewerRecord),
    onCall: heard(onCall)
  }
}

/** The store as the process has it: of a process that is gone nothing goes on. */
export function connectionOf (user: StoreUser, store: SharedStore, { shared, plant, time, store: world }: Surroundings): SharedStore {
  const { director, isAlive } = user
  const held = <Given extends unknown[], Value>(call: (...given: Given) => Promise<Value>) => async (...given: Given): Promise<Value> =>
    await new Promise(resolve => { void call(...given).then(value => { if (isAlive()) resolve(value) }) })
  const { start, mint, announce, makeVoid, join, drop, keys, replicas, find, send, close } = store
  return {
    get status () { return store.status },
    get reason () { return store.reason },
    get refusal () { return store.refusal },
    start,
    send,
    close,
    makeVoid: held(makeVoid),
    find: held(find),
    join: held(join),
    drop: held(async (client, replica, everywhere) => {
      shared?.droppedInStore(client)
      return await drop(client, replica, everywhere)
    }),
    keys: held(async (propose, maxAgeMs) => {
      const read = await keys(propose, maxAgeMs)
      if (read.ok) world?.keysRead(user)
      return read
    }),
    announce: held(announce),
    replicas: held(replicas),

    mint: held(async (token, grant, ttlMs, clients) => {
      if (plant === 'grantsBeforeClaims' && clients !== undefined && clients.size > 0) {
        time.plan(MOMENT_MS, () => { void mint(token, grant, ttlMs, clients) }, true)
        return await mint(token, grant, ttlMs)
      }
      return await mint(token, grant, ttlMs, clients)
    }),

    claim: held(async claim => {
      const { token, dataPort, client } = claim
      const outcome = await store.claim(plant === 'claimsOfAnybody' ? { ...claim, client: world?.claimsOf(token)?.get(dataPort) ?? client } : claim)
      shared?.storeSaid(director, claim, outcome)
      return outcome
    }),

    bind: held(async (write, replica) => {
      const bound = await store.bind(write, replica)
      if (bound.ok) shared?.boundInStore(write, bound.value.sequence)
      return bound
    }),

    keep: held(async (keeps, replica) => {
      const kept = await store.keep(plant === 'keepOverwrites' ? keeps.map(keep => newest(keep, world)) : keeps, replica)
      for (const { client } of keeps) shared?.keptInStore(client)
      return kept
    })
  }
}

// A plant.
function newest (keep: BindingKeep, world: WorldStore | undefined): BindingKeep {
  return { ...keep, sequence: world?.bindingOf(keep.client)?.sequence ?? keep.sequence }
}
