// A player who knows one address of the director, and takes nothing from any other.
import { createSocket } from 'node:dgram'
import { eventually } from '#testkit/patience.js'
import { PORT, type DirectorThere } from './director-there.js'
import { here } from './network.js'

export interface Player {
  /** Has itself sent to this game server. */
  readonly join: (server: 'one' | 'two') => Promise<void>
  /** Asks the game server for so many datagrams, and hears all of them. */
  readonly burst: (count: number) => Promise<void>
  /** Says nothing, and hears the game server that it is with. */
  readonly hearFirst: () => Promise<void>
  readonly close: () => Promise<void>
}

const magic = Buffer.from('FFFFFFFF5245534554', 'hex')
let players = 0

/** @param from addresses that replies may come from; default: the one it sends to */
export async function openPlayer (director: DirectorThere, address: string, from: readonly string[] = [address]): Promise<Player> {
  const name = `player-${String(++players).padStart(4, '0')}`
  const family = address.includes(':') ? 6 : 4
  const socket = createSocket({ type: family === 4 ? 'udp4' : 'udp6', recvBufferSize: 1_000_000 })
  const heard = new Set<string>()
  let fault: string | undefined
  let server: 'one' | 'two' = 'one'
  await new Promise<void>(resolve => { socket.bind(0, here[family], resolve) })
  if (family === 4) socket.setBroadcast(true)
  socket.on('message', (bytes, source) => {
    if (!from.includes(source.address) || source.port !== PORT) fault ??= `a reply for ${address} came from ${source.address} port ${source.port}`
    heard.add(bytes.toString())
  })
  // Does `again` every so many looks, and `then` a few looks after it.
  const until = async (what: string, isDone: () => boolean, again: () => void, then = (): void => undefined): Promise<void> => {
    heard.clear()
    let looks = 0
    await eventually(() => {
      if (fault !== undefined) throw new Error(fault)
      if (isDone()) return Promise.resolve(true)
      if (looks % 10 === 0) again()
      if (looks++ % 10 === 2) then()
      return Promise.resolve(undefined)
    }, { what: `${name} at ${address}: ${what}`, mayFail: true, pollMs: 50 })
  }
  return {
    join: async wanted => {
      const token = await director.query(wanted)
      server = wanted
      await until(`to join ${wanted}`, () => heard.has(`${name} welcome`), () => {
        socket.send(Buffer.concat([magic, Buffer.from(token)]), PORT, address)
        socket.send(`${name} 0`, PORT, address)
      }, () => { director.servers[wanted].sayTo(name, 'welcome') })
    },
    burst: async count => {
      await until(`${count} datagrams`, () => heard.size === count, () => { socket.send(`${name} ${count}`, PORT, address) })
    },
    hearFirst: async () => {
      await until(`to hear server ${server} first`, () => heard.has(`${name} again`), () => { director.servers[server].sayTo(name, 'again') })
    },
    close: async () => { await new Promise<void>(resolve => { socket.close(() => { resolve() }) }) }
  }
}
