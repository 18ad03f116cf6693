// A frame of a watch on its way out, and what may become of it. The faults themselves are in frame-faults.ts.

/**
 * How bytes stop: `reset` is a RST, `fin` ends the connection without ending the body, `end` ends the body as if it were
 * whole, `stall` leaves everything open and sends nothing more.
 */
export type Cut = 'reset' | 'fin' | 'end' | 'stall'

export interface Frame {
  /** OPEN stands for the moment after the headers; it has no text and sends nothing by itself. */
  readonly type: 'OPEN' | 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR' | 'RAW'
  /** The line without its end. */
  readonly text: string
}

/** The stream stops here in the way that `cut` says; `text` goes out before that, without a line end. */
export interface CutFrame {
  readonly cut: Cut
  readonly text?: string
}

export type Outgoing = Frame | CutFrame

/** What goes out instead of a frame: nothing, the frame itself, more frames, an end. */
export type FrameFault = (frame: Frame) => readonly Outgoing[]
