// Streams of lines that are cut anywhere: events of the proxy, and watches of a Kubernetes API server.
import fc from 'fast-check'
import { eventFromLine } from '#rpc/event-lines.js'
import { LineSplitter } from '#rpc/line-splitter.js'
import { Collection } from '../../apps/control/src/inventory/kubernetes/reflector/collection.js'
import { Intake } from '../../apps/control/src/inventory/kubernetes/reflector/intake.js'
import { LineDecoder } from '../../apps/control/src/inventory/kubernetes/reflector/follow-watch.js'
import { createStore } from '../../apps/control/src/inventory/store/store.js'
import { fuzzTarget, must, type FuzzTarget } from '../fuzz-target.js'

const MAX_BYTES = 40
const LF = 0x0a

/** @param create makes the splitter that is tried */
export function eventLines (create = (onLine: (line: string) => void) => new LineSplitter(MAX_BYTES, onLine)): FuzzTarget {
  return fuzzTarget({
    name: 'event-lines',
    what: 'bytes of an event stream, cut anywhere: the same lines as in one piece, until one is too long; each an event or a bad line',
    inputs: fc.record({ bytes: fc.array(fc.oneof(fc.constant(LF), fc.nat(255)), { maxLength: 200, size: 'max' }).map(bytes => Uint8Array.from(bytes)), cuts: fc.array(fc.nat(200)) }),
    testRuns: 200,
    open: () => ({
      check: ({ bytes, cuts }) => {
        const lines: string[] = []
        const splitter = create(line => { lines.push(line) })
        const edges = [0, ...cuts.map(cut => Math.min(cut, bytes.length)).sort((one, other) => one - other), bytes.length]
        const isOk = edges.slice(1).every((edge, at) => splitter.push(bytes.subarray(edges[at], edge)).ok)
        const pieces = piecesOf(bytes)
        const tooLong = pieces.findIndex(piece => piece.length > MAX_BYTES)
        must(isOk === (tooLong < 0), 'a line that is too long was taken, or another refused')
        const expected = pieces.slice(0, tooLong < 0 ? -1 : tooLong).map(piece => Buffer.from(piece).toString()).filter(line => line.trim() !== '')
        must(JSON.stringify(lines) === JSON.stringify(expected), `${JSON.stringify(lines)} instead of ${JSON.stringify(expected)}`)
        for (const line of lines) eventFromLine(line)
      }
    })
  })
}

function piecesOf (bytes: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = []
  let start = 0
  for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, start)) {
    pieces.push(bytes.subarray(start, end))
    start = end + 1
  }
  return [...pieces, bytes.subarray(start)]
}

const text = fc.constantFrom<unknown>('1', '2', '07', '', 'a', 'games', 'other', '__proto__', 'a/b', null, 7)

const object = fc.record({
  apiVersion: fc.constantFrom<unknown>('agones.dev/v1', 'agones.dev/v1', 'v1', 1),
  kind: fc.constantFrom<unknown>('GameServer', 'GameServer', 'Pod', null),
  metadata: fc.oneof({ weight: 5, arbitrary: fc.record({ name: text, namespace: fc.oneof(fc.constant('games'), text), uid: text, resourceVersion: text, labels: fc.oneof(fc.dictionary(fc.string(), text, { maxKeys: 2 }), fc.jsonValue()), annotations: fc.jsonValue(), managedFields: fc.jsonValue() }, { requiredKeys: ['name', 'namespace', 'resourceVersion'] }) }, { weight: 1, arbitrary: fc.jsonValue() }),
  status: fc.jsonValue()
}, { requiredKeys: ['apiVersion', 'kind', 'metadata'] })

const line = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constantFrom('ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR', 'OTHER'), object: fc.oneof({ weight: 5, arbitrary: object }, { weight: 1, arbitrary: fc.jsonValue() }) }).map(value => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) })

/** @param take what is tried */
export function watchLines (take = (intake: Intake, line: string) => intake.take(line)): FuzzTarget {
  return fuzzTarget({
    name: 'watch-lines',
    what: 'lines of a watch, near events and far from them: applied, stale, failed or corrupt; only what fits is held',
    inputs: fc.array(line, { maxLength: 12 }),
    testRuns: 200,
    open: () => ({
      check: lines => {
        const store = createStore(['gameserver'])
        const source = { group: 'agones.dev', version: 'v1', resource: 'gameservers', namespace: 'games', types: ['gameserver'] }
        const intake = new Intake(new Collection(store, source), source)
        let applied = 0
        for (const part of new LineDecoder().push(Buffer.from(lines.map(line => `${line.replaceAll('\n', ' ')}\n`).join(''))) ?? []) {
          const before = intake.version
          const { kind } = take(intake, part)
          if (kind === 'applied') applied++
          else must(intake.version === before, `${kind}, and yet the version moved`)
        }
        const held = [...store.find('gameserver', 'games')]
        must(held.length === store.sizes().get('gameserver') && held.length <= applied, 'more is held than was applied')
        for (const { apiVersion, metadata } of held) must(apiVersion === 'agones.dev/v1' && metadata.namespace === 'games' && metadata.name !== '', 'an object of something else is held')
      }
    })
  })
}
