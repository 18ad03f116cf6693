// The first reader of events: the log. It makes a line at once, within the turn of what it tells of, so no line is ever missing and
// all keep their order. Kinds whose lines the log's level leaves out are not read, so they are not even made.
import type { EventReader, EventsHub } from './events-hub.js'
import type { HubData, HubKind } from './hub-kinds.js'

// Every level that a log may have, the chattiest first.
const order = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

type Level = 'debug' | 'info' | 'warn' | 'error'
/** The part of a pino logger that is needed here. */
export type LineLogger = { readonly level: string } & { readonly [Each in Level]: (fields: object, sentence: string) => void }

type Line = readonly [level: Level, fields: object, sentence: string]

interface LoggedKind<Kind extends HubKind> {
  /** The highest level of its lines. */
  readonly upTo: Level
  /** Undefined: this one is not a line. */
  readonly lineOf: (data: HubData<Kind>) => Line | undefined
}

// Sessions, targets that are gone and redemptions are lines of the proxy's own log.
const logged: { readonly [Kind in HubKind]?: LoggedKind<Kind> } = {
  token_issued: { upTo: 'info', lineOf: data => ['info', data, 'Token issued'] },
  token_refused: {
    upTo: 'debug',
    lineOf: ({ via, ...fields }) => ['debug', fields, via === 'query' ? 'Query failed' : 'Token refused']
  },
  token_void: {
    upTo: 'info',
    lineOf: ({ cause, tokens, tokenPrefix, target }) => {
      if (cause === 'operator') return ['info', { tokenPrefix }, 'Token revoked']
      return cause === 'target_gone' ? ['info', { tokens, target }, 'Tokens withdrawn, their target is gone or has changed'] : undefined
    }
  },
  drain: {
    upTo: 'info',
    lineOf: data => {
      const { change, ...fields } = data
      if (data.change === 'begun') return ['info', { drainTimeoutSeconds: data.secondsLeft }, 'Control draining, no more tokens']
      return ['info', fields, change === 'ended' ? 'Control drained' : 'Control draining']
    }
  },
  inventory: {
    upTo: 'warn',
    lineOf: data => {
      const { fault, recovered } = inventoryLines[data.provider]
      return data.change === 'recovered' ? recovered(data.subject) : fault(data.subject, data.detail)
    }
  },
  store: {
    upTo: 'warn',
    lineOf: data => {
      const { change, ...fields } = data
      if (change === 'up') return ['info', {}, data.isAgain ? 'Shared store can be reached again' : 'Shared store can be reached']
      return ['warn', fields, change === 'down' ? 'Shared store cannot be used' : 'Shared store names a target that is not allowed']
    }
  },
  link: {
    upTo: 'error',
    lineOf: ({ change, ...fields }) => {
      const [level, sentence] = linkLines[change]
      return [level, fields, sentence]
    }
  }
}

const inventoryLines: Readonly<Record<HubData<'inventory'>['provider'], { fault: (subject: string, detail: string) => Line, recovered: (subject: string) => Line }>> = {
  file: {
    fault: (file, fault) => ['warn', { file, fault }, 'Inventory file is broken, its last good content is kept'],
    recovered: file => ['info', { file }, 'Inventory file is without fault again']
  },
  kubernetes: {
    fault: (fault, detail) => ['warn', { fault, detail }, 'Kubernetes objects cannot be read, what is known of them is kept'],
    recovered: fault => ['info', { fault }, 'Kubernetes fault is over']
  }
}

const linkLines: Readonly<Record<HubData<'link'>['change'], readonly [Level, string]>> = {
  up: ['info', 'Proxy synchronised'],
  lost: ['warn', 'Proxy lost'],
  superseded: ['error', 'Superseded by a newer control process'],
  taking_over: ['warn', 'The newer control process is gone, taking over']
}

/** Writes lines from now on, until the reader is closed. */
export function logEvents (hub: EventsHub, log: LineLogger): EventReader {
  const kinds = (Object.keys(logged) as HubKind[]).filter(kind => order.indexOf(logged[kind]!.upTo) >= order.indexOf(log.level))
  const wake = (): void => {
    for (let item = reader.take(); item !== undefined; item = reader.take()) {
      const line = item.kind === 'missed' ? undefined : lineOf(item.kind, item.data)
      if (line !== undefined) log[line[0]](line[1], line[2])
    }
  }
  const reader = hub.read({ kinds, wake })
  return reader
}

function lineOf<Kind extends HubKind> (kind: Kind, data: HubData<Kind>): Line | undefined {
  return logged[kind]?.lineOf(data)
}
