// Faults of a watch. All are counted within one stream, from 1, over frames that are events (ADDED, MODIFIED, DELETED).
import { statusBody } from '../requests/reply.js'
import type { Fault } from './fault.js'
import type { Cut, Frame, FrameFault, Outgoing } from './frame.js'

/** The `nth` event is sent to its half, and then the connection goes as `how` says. */
export function cutFrame (how: Cut, nth = 1): Fault {
  return onEvent(nth, frame => [{ cut: how, text: frame.text.slice(0, frame.text.length / 2) }])
}

/** The stream ends before its first frame. */
export function cutAtOpen (how: Cut): Fault {
  return frames(() => frame => frame.type === 'OPEN' ? [{ cut: how }] : [frame])
}

/** The stream ends after `nth` events were sent whole. */
export function cutAfter (how: Cut, nth = 1): Fault {
  return onEvent(nth, frame => [frame, { cut: how }])
}

/** The `nth` event and those after it, `count` in all, are sent twice. */
export function duplicateEvents (nth = 1, count = 1): Fault {
  return onEvent(nth, frame => [frame, frame], count)
}

export function dropEvents (nth = 1, count = 1): Fault {
  return onEvent(nth, () => [], count)
}

/** The `nth` event is held back until the one after it was sent. */
export function swapEvents (nth = 1): Fault {
  return frames(() => {
    let held: Frame | undefined
    const counted = countEvents()
    return frame => {
      const place = counted(frame)
      if (place === nth) {
        held = frame
        return []
      }
      return place === nth + 1 && held !== undefined ? [frame, held] : [frame]
    }
  })
}

/** Any text goes out as a line before the `nth` event; before everything with `nth` 0. */
export function rawLine (text: string, nth = 0): Fault {
  const raw: Frame = { type: 'RAW', text }
  return nth === 0
    ? frames(() => frame => frame.type === 'OPEN' ? [frame, raw] : [frame])
    : onEvent(nth, frame => [raw, frame])
}

/** The `nth` event becomes what `change` makes of it: no metadata, another kind, another version. */
export function editEvent (change: (event: { type: string, object: Record<string, unknown> }) => unknown, nth = 1, count = 1): Fault {
  return onEvent(nth, frame => {
    const event = JSON.parse(frame.text) as { type: string, object: Record<string, unknown> }
    return [{ type: frame.type, text: JSON.stringify(change(event)) }]
  }, count)
}

/** An ERROR frame in place of the `nth` event (before everything with 0); `then` the stream ends or stays open for ever. */
export function errorFrame (code: number | undefined, then: 'open' | 'close', nth = 0): Fault {
  const status = code === undefined ? { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure' } : statusBody(code, 'As the test wished.')
  const error: Frame = { type: 'ERROR', text: JSON.stringify({ type: 'ERROR', object: status }) }
  const outgoing: readonly Outgoing[] = [error, { cut: then === 'close' ? 'end' : 'stall' }]
  return nth === 0 ? frames(() => frame => frame.type === 'OPEN' ? outgoing : [frame]) : onEvent(nth, () => outgoing)
}

export function noBookmarks (): Fault {
  return frames(() => frame => frame.type === 'BOOKMARK' ? [] : [frame])
}

/** Every bookmark comes `count` times. */
export function bookmarkStorm (count: number): Fault {
  return frames(() => frame => frame.type === 'BOOKMARK' ? new Array<Frame>(count).fill(frame) : [frame])
}

/** A valid event whose line is about `bytes` long. */
export function hugeEvent (bytes: number, nth = 1): Fault {
  return editEvent(event => {
    const metadata = event.object['metadata'] as Record<string, unknown>
    return { ...event, object: { ...event.object, metadata: { ...metadata, annotations: { huge: 'x'.repeat(bytes) } } } }
  }, nth)
}

function frames (start: () => FrameFault): Fault {
  return { kind: 'frames', start }
}

function onEvent (nth: number, change: FrameFault, count = 1): Fault {
  return frames(() => {
    const counted = countEvents()
    return frame => {
      const place = counted(frame)
      return place !== undefined && place >= nth && place < nth + count ? change(frame) : [frame]
    }
  })
}

function countEvents (): (frame: Frame) => number | undefined {
  let count = 0
  return ({ type }) => type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED' ? ++count : undefined
}
