// The imports that close circles and are still there. Without them there is none, so each one that goes is one circle less:
// take it off this list then (the check asks for it). Nothing is ever added here.

/** @typedef {readonly [from: string, to: string]} Arrow who imports whom, by path */

/** @type {{ files: readonly Arrow[], folders: readonly Arrow[] }} */
export const knownArrows = {
  files: [
    ['apps/control/src/query/matching.ts', 'apps/control/src/query/selector.ts']
  ],
  folders: [
    ['apps/control/src/http', 'apps/control/src'],
    ['apps/control/src/http/auth', 'apps/control/src'],
    ['apps/control/src/proxies', 'apps/control/src/tokens'],
    ['apps/control/src/http/guards', 'apps/control/src'],
    ['apps/control/src/query', 'apps/control/src'],
    ['apps/control/src/http/routes', 'apps/control/src'],
    ['apps/control/src/tokens', 'apps/control/src'],
    ['apps/proxy/src/rpc', 'apps/proxy/src'],
    ['apps/proxy/src/shards', 'apps/proxy/src'],
    ['apps/proxy/src/state', 'apps/proxy/src/shards']
  ]
}
