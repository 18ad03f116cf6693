// Plays a test that starts a director and never gets to end it.
import { Pair } from '#testkit/director/pair.js'

const pair = await Pair.open()
process.stdout.write(`${JSON.stringify({ pids: [pair.control.pid, pair.proxy.pid], folder: pair.folder })}\n`)
