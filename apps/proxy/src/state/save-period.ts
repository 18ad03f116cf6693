/** How often counters are written to the state logs, in ms: what a kill can lose of them. Sessions and tokens it cannot. */
export const SAVE_PERIOD_MS = 100
