import t from 'tap'
import { openDgramEngine } from '../../src/engines/dgram/dgram-engine.js'
import { conformance } from './conformance.js'

conformance(t, openDgramEngine)
