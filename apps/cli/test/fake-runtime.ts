// A Runtime whose processes are puppets and whose output is text.
import { systemClock } from '#core/system-clock.js'
import { createStyle } from '#telemetry/log-lines/style.js'
import type { ChildListeners, ProcessSpec } from '../src/runtime/child.js'
import type { Runtime, StopSignal } from '../src/runtime/runtime.js'

export interface Puppet {
  readonly spec: ProcessSpec
  readonly say: (msg: string, fields?: object) => void
  readonly end: (code: number) => void
}

export interface FakeRuntime {
  readonly runtime: Runtime
  readonly text: { out: string, err: string }
  readonly puppets: Puppet[]
  readonly signal: (signal: StopSignal) => void
  /** What would run when the process ends. */
  readonly exit: () => void
}

/** @param onSpawn plays a process; it ends with 0 at SIGTERM and is deaf to nothing */
export function createFakeRuntime (onSpawn: (puppet: Puppet) => void, isTerminal = false): FakeRuntime {
  const text = { out: '', err: '' }
  const puppets: Puppet[] = []
  const handlers: Array<(signal: StopSignal) => void> = []
  const exits: Array<() => void> = []
  const spawn: Runtime['spawn'] = (spec, listeners) => {
    const puppet = createPuppet(spec, listeners)
    puppets.push(puppet)
    setImmediate(() => { onSpawn(puppet) })
    return { pid: puppets.length, signal: () => { puppet.end(0) } }
  }
  return {
    text,
    puppets,
    signal: signal => { for (const handle of handlers) handle(signal) },
    exit: () => { for (const run of exits) run() },
    runtime: {
      clock: systemClock,
      spawn,
      isTerminal,
      hasTerminal: isTerminal,
      style: createStyle(false),
      out: more => { text.out += more; return undefined },
      err: more => { text.err += more },
      onSignal: handle => { handlers.push(handle) },
      atExit: run => { exits.push(run) }
    }
  }
}

function createPuppet (spec: ProcessSpec, { line, end }: ChildListeners): Puppet {
  let hasEnded = false
  return {
    spec,
    say: (msg, fields = {}) => {
      void line?.({ stream: 'stdout', text: JSON.stringify({ level: 'info', time: '2024-01-01T00:00:00.000Z', process: spec.name, ...fields, msg }) })
    },
    end: code => {
      if (!hasEnded) end({ code, signal: null })
      hasEnded = true
    }
  }
}
