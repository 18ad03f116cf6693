import { openDirect, type ForwarderName, type ForwarderOptions, type Opened } from './forwarder.js'
import { openNginx, openSocat } from './programs.js'
import { openProxyForwarder } from './proxy-forwarder.js'

/** Starts the forwarder with this name; an error is one sentence that says why it cannot be measured here. */
export async function openForwarder (name: ForwarderName, options: ForwarderOptions): Promise<Opened> {
  switch (name) {
    case 'direct': return openDirect(options)
    case 'dgram': return await openProxyForwarder({ name, engine: 'dgram' }, options)
    case 'dgram-shared': return await openProxyForwarder({ name, engine: 'dgram', isShared: true }, options)
    case 'batch-shared': return await openProxyForwarder({ name, engine: 'batch', workers: 1, isShared: true }, options)
    case 'batch': return await openProxyForwarder({ name, engine: 'batch', workers: 1 }, options)
    // As it is bound where nobody says otherwise; clients send to the same address.
    case 'batch-any': return await openProxyForwarder({ name, engine: 'batch', workers: 1, isEverywhere: true }, options)
    // On one processor two workers would be one and a nuisance.
    case 'batch-2': return await openProxyForwarder({ name, engine: 'batch', workers: 2 }, { ...options, prefix: [] })
    case 'nginx': return await openNginx(options)
    case 'socat': return await openSocat(options)
  }
}
