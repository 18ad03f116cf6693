// Further addresses of an HTTP listener. Node's server has one; what connects at another is handed to it, as its documentation
// of the event `connection` allows, and meets the same bounds and time limits from there on.
import { createServer, type AddressInfo, type Server } from 'node:net'
import type { TypedApp } from './listener.js'

export class SideDoors {
  readonly #app: TypedApp
  readonly #servers: Server[] = []
  #closing: Promise<void> | undefined

  /** To be made before `app` is ready: they close with it. */
  constructor (app: TypedApp) {
    this.#app = app
    // Shut first, so that nobody comes in while requests under way are waited for.
    app.addHook('preClose', done => {
      this.#closing = this.close()
      done()
    })
    app.addHook('onClose', async () => { await this.#closing })
  }

  /** Listens and returns the real port. Rejects with the system's error. */
  async open (host: string, port: number): Promise<number> {
    const { server } = this.#app
    // As node:http makes its own server.
    const door = createServer({ allowHalfOpen: true, noDelay: true }, socket => { server.emit('connection', socket) })
    door.maxConnections = server.maxConnections
    door.on('drop', data => { server.emit('drop', data) })
    await new Promise<void>((resolve, reject) => {
      door.once('error', reject)
      door.listen({ host, port }, () => {
        door.off('error', reject)
        resolve()
      })
    })
    this.#servers.push(door)
    return (door.address() as AddressInfo).port
  }

  /** Takes nobody any more; resolves when those who are connected have gone. */
  async close (): Promise<void> {
    await Promise.all(this.#servers.splice(0).map(async door => {
      await new Promise<void>(resolve => { door.close(() => { resolve() }) })
    }))
  }
}
