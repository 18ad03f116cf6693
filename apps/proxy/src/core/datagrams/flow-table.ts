// Flows: which upstream socket a session uses towards one endpoint (a target's address and port), and back.
//
//   session ──┬─ flow (data port 0) ── endpoint 10.0.0.5:7777 ── upstream socket 3
//             └─ flow (data port 1) ── endpoint 10.0.0.5:7778 ── upstream socket 0
//
// Upstream sockets are numbers here; the engine opens the real ones. A pair (endpoint, socket) belongs to at most one
// flow, so a reply names its session by where it came from and where it arrived, and two sessions share a socket
// whenever their targets differ. A flow whose session left keeps its pair (it *lingers*) until the target has been
// silent on it for a while: a late reply must not reach the next player who gets the pair.
import { ADDRESS_WORDS } from '#wire/address.js'
import { MAX_LOCALS, NO_LOCAL } from './local-addresses.js'
import { RecordTable } from '../tables/record-table.js'
import { Changes } from '../feed/changes.js'

const KEY_WORDS = ADDRESS_WORDS + 1
const NONE = -1
// In place of the next flow: this one is free.
const FREE = -2

// A flow's record, four words: what the packet path reads of it is one cache line.
//   word  0  session, or -1 when it has left      1  endpoint      3  next flow of the session, or -1
//         2  socket number (16 bits), data port (4), local address that the client sent to last (12), from below
const SESSION = 0
const ENDPOINT = 1
const SOCKET = 2
const NEXT = 3
const DATA_PORT_SHIFT = 16
const LOCAL_SHIFT = 20
const STRIDE = 4

/** The part of a target a flow needs. */
export interface FlowTarget {
  readonly words: Uint32Array
  readonly address: string
  readonly isIPv4: boolean
}

/** One address and port of a target, and the flows towards it by socket number. */
export interface Endpoint {
  readonly slot: number
  readonly words: Uint32Array
  readonly address: string
  readonly isIPv4: boolean
  readonly port: number
  /** Flow + 1 by socket number, as far as there are sockets; 0 is free. Not a typed array: an object of those is larger than what it would hold here. */
  readonly flows: number[]
  readonly freeSockets: number[]
  liveFlows: number
}

export interface FlowTableOptions {
  readonly capacity: number
  readonly maxEndpoints: number
  readonly maxSockets: number
  readonly lingerMs: number
  readonly seed: number
}

export class FlowTable {
  readonly #options: FlowTableOptions
  readonly #endpointIndex: RecordTable
  readonly #endpoints: (Endpoint | undefined)[] = []
  readonly #endpointKey = new Uint32Array(KEY_WORDS)
  readonly #records: Int32Array
  // When the target was last heard after its session left.
  readonly #lingerSince: Float64Array
  readonly #usesOf: Uint32Array
  readonly #usesOfLocal = new Uint32Array(MAX_LOCALS + 1)
  /** Flows that were opened, left by their session, or freed. */
  readonly changes: Changes
  readonly #lingering: number[] = []
  readonly #free: number[] = []
  #highWater = 0

  constructor (options: FlowTableOptions) {
    this.#options = options
    this.#endpointIndex = new RecordTable({ capacity: options.maxEndpoints, keyWords: KEY_WORDS, stride: KEY_WORDS, seed: options.seed })
    this.#records = new Int32Array(options.capacity * STRIDE)
    this.#lingerSince = new Float64Array(options.capacity)
    this.#usesOf = new Uint32Array(options.maxSockets)
    this.changes = new Changes(options.capacity)
  }

  /** Flows, lingering ones included. */
  get size (): number { return this.#highWater - this.#free.length }
  get capacity (): number { return this.#options.capacity }
  get endpoints (): number { return this.#endpointIndex.size }
  get maxEndpoints (): number { return this.#options.maxEndpoints }

  /** Flows whose session has left and whose pair is not free yet. */
  get lingering (): number { return this.#lingering.length }

  session (flow: number): number { return this.#records[flow * STRIDE + SESSION]! }
  socket (flow: number): number { return this.#records[flow * STRIDE + SOCKET]! & 0xffff }
  dataPort (flow: number): number { return this.#records[flow * STRIDE + SOCKET]! >>> DATA_PORT_SHIFT & 0xf }
  /** Number of the local address that replies come from; NO_LOCAL if it does not matter. */
  local (flow: number): number { return this.#records[flow * STRIDE + SOCKET]! >>> LOCAL_SHIFT }
  endpoint (flow: number): Endpoint { return this.#endpoints[this.#records[flow * STRIDE + ENDPOINT]!]! }
  /** Flows on this socket, lingering ones included: at 0 the engine may close it. */
  usesOfSocket (socket: number): number { return this.#usesOf[socket]! }
  /** Flows with this local address, lingering ones included. */
  usesOfLocal (local: number): number { return this.#usesOfLocal[local]! }
  isLingering (flow: number): boolean { return this.session(flow) === NONE }

  /** In the list of flows that starts at `first`, the one for `dataPort`, or -1. */
  findInList (first: number, dataPort: number): number {
    for (let flow = first; flow !== NONE; flow = this.#records[flow * STRIDE + NEXT]!) {
      if (this.dataPort(flow) === dataPort) return flow
    }
    return NONE
  }

  /** The flow that owns the pair of this socket and source, or -1. Allocates nothing. */
  findBySource (socket: number, words: Uint32Array, port: number): number {
    const slot = this.#findEndpoint(words, port)
    if (slot < 0) return NONE
    const { flows } = this.#endpoints[slot]!
    return socket < flows.length ? flows[socket]! - 1 : NONE
  }

  /**
   * Opens a flow for `session`, in front of its list `first`. Returns the flow, or -1 when a bound is reached. The last
   * eighth of the flows, and of the sockets towards an endpoint, is only for those with `hasReserve`.
   */
  open (session: number, dataPort: number, target: FlowTarget, port: number, first: number, hasReserve = true, local = NO_LOCAL): number {
    const { capacity, maxSockets } = this.#options
    const flow = hasReserve || this.size < withoutReserve(capacity) ? this.#takeSlot() : NONE
    if (flow < 0) return NONE
    const endpoint = this.#internEndpoint(target, port)
    const hasSocket = endpoint !== undefined && (hasReserve || endpoint.liveFlows < withoutReserve(maxSockets))
    const socket = hasSocket ? this.#takeSocket(endpoint) : NONE
    if (endpoint === undefined || socket === NONE) {
      this.#giveBack(flow)
      return NONE
    }
    this.#occupy(flow, endpoint, socket, session, dataPort, first, local)
    return flow
  }

  /**
   * Opens a flow that had this very socket number before a restart; `session` is -1 for one that lingers. Restore flows
   * in ascending order of their socket numbers. Returns the flow, or -1 if a bound is reached or the pair is taken.
   */
  restore (session: number, dataPort: number, target: FlowTarget, port: number, socket: number, first: number, now: number, local = NO_LOCAL): number {
    if (socket >= this.#options.maxSockets) return NONE
    const flow = this.#takeSlot()
    if (flow < 0) return NONE
    const endpoint = this.#internEndpoint(target, port)
    if (endpoint === undefined || socket < endpoint.flows.length) {
      this.#giveBack(flow)
      return NONE
    }
    while (endpoint.flows.length < socket) endpoint.freeSockets.push(addSocket(endpoint))
    addSocket(endpoint)
    this.#occupy(flow, endpoint, socket, session, dataPort, first, local)
    if (session === NONE) {
      this.#lingerSince[flow] = now
      this.#lingering.push(flow)
    }
    return flow
  }

  /** One past the largest flow ever used: the bound of a loop over `isUsed`. */
  get highWater (): number { return this.#highWater }

  /** Whether this flow holds a pair, of a session or lingering. */
  isUsed (flow: number): boolean { return this.#records[flow * STRIDE + NEXT] !== FREE }

  /** The session of the list `first` leaves its target: all its flows linger from now on. */
  detachList (first: number, now: number): void {
    for (let flow = first; flow !== NONE;) {
      const next = this.#records[flow * STRIDE + NEXT]!
      this.#records[flow * STRIDE + SESSION] = NONE
      this.changes.mark(flow)
      this.#lingerSince[flow] = now
      this.#lingering.push(flow)
      flow = next
    }
  }

  /** The client has sent to this local address: replies come from it from now on. */
  setLocal (flow: number, local: number): void {
    const former = this.local(flow)
    if (local === former) return
    this.#usesOfLocal[former]!--
    this.#usesOfLocal[local]!++
    this.#records[flow * STRIDE + SOCKET] = this.#records[flow * STRIDE + SOCKET]! & (1 << LOCAL_SHIFT) - 1 | local << LOCAL_SHIFT
    this.changes.mark(flow)
  }

  /** A late reply on a lingering flow: the target is not silent yet. */
  touchLingering (flow: number, now: number): void {
    this.#lingerSince[flow] = now
  }

  /**
   * Looks at `looks` lingering flows from the one at `from` on, and frees the pairs whose target has been silent for
   * `lingerMs`. Returns where to go on; at `lingering` it is done.
   */
  sweep (from: number, looks: number, now: number): number {
    let at = from
    for (let look = 0; look < looks && at < this.#lingering.length; look++) {
      const flow = this.#lingering[at]!
      if (now - this.#lingerSince[flow]! < this.#options.lingerMs) {
        at++
        continue
      }
      // The last one takes its place, and is looked at next.
      const last = this.#lingering.pop()!
      if (last !== flow) this.#lingering[at] = last
      this.#release(flow)
    }
    return at
  }

  #release (flow: number): void {
    const endpoint = this.endpoint(flow)
    const socket = this.socket(flow)
    this.#usesOfLocal[this.local(flow)]!--
    endpoint.flows[socket] = 0
    endpoint.freeSockets.push(socket)
    this.changes.mark(flow)
    this.#giveBack(flow)
    this.#usesOf[socket]!--
    if (--endpoint.liveFlows > 0) return
    this.#endpointIndex.remove(endpoint.slot)
    this.#endpoints[endpoint.slot] = undefined
  }

  #takeSlot (): number {
    const free = this.#free.pop()
    if (free !== undefined) return free
    return this.#highWater < this.#options.capacity ? this.#highWater++ : NONE
  }

  #giveBack (flow: number): void {
    this.#records[flow * STRIDE + NEXT] = FREE
    this.#free.push(flow)
  }

  #takeSocket (endpoint: Endpoint): number {
    const free = endpoint.freeSockets.pop()
    if (free !== undefined) return free
    return endpoint.flows.length < this.#options.maxSockets ? addSocket(endpoint) : NONE
  }

  #occupy (flow: number, endpoint: Endpoint, socket: number, session: number, dataPort: number, first: number, local: number): void {
    endpoint.flows[socket] = flow + 1
    endpoint.liveFlows++
    this.#usesOf[socket]!++
    this.#usesOfLocal[local]!++
    const base = flow * STRIDE
    this.#records[base + SESSION] = session
    this.#records[base + ENDPOINT] = endpoint.slot
    this.#records[base + SOCKET] = socket | dataPort << DATA_PORT_SHIFT | local << LOCAL_SHIFT
    this.#records[base + NEXT] = first
    this.changes.mark(flow)
  }

  #findEndpoint (words: Uint32Array, port: number): number {
    const key = this.#endpointKey
    for (let word = 0; word < ADDRESS_WORDS; word++) key[word] = words[word]!
    key[ADDRESS_WORDS] = port
    return this.#endpointIndex.find(key)
  }

  #internEndpoint (target: FlowTarget, port: number): Endpoint | undefined {
    const known = this.#findEndpoint(target.words, port)
    if (known >= 0) return this.#endpoints[known]
    const slot = this.#endpointIndex.insert(this.#endpointKey)
    if (slot < 0) return undefined
    const endpoint: Endpoint = { slot, words: target.words, address: target.address, isIPv4: target.isIPv4, port, flows: [], freeSockets: [], liveFlows: 0 }
    this.#endpoints[slot] = endpoint
    return endpoint
  }
}

/** Returns the number of one more socket. */
function addSocket ({ flows }: Endpoint): number {
  return flows.push(0) - 1
}

function withoutReserve (bound: number): number {
  return bound - Math.floor(bound / 8)
}
