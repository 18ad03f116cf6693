// Bugs that are planted in the core of a shard, by what takes the place of one of its parts.
import { isMarked } from '#wire/token-mac.js'
import { Mark } from '../../apps/proxy/src/core/asks/token-marks.js'
import type { Core } from '../../apps/proxy/src/core/core.js'
import type { Plant } from '../checks/plants.js'

export function plantInCore ({ state: { asking, marks } }: Core, plant: Plant | undefined): void {
  if (plant === 'claimsSkipped') Object.defineProperty(asking, 'isHeard', { value: false })
  if (plant === 'formerKeysForgotten') forgetKeys(marks)
}

// Tokens are marked by the newest key, or forged.
function forgetKeys (marks: Core['state']['marks']): void {
  let newest: Uint32Array | undefined
  const setKeys = marks.setKeys.bind(marks)
  const remember: typeof setKeys = keys => {
    newest = keys[0]
    setKeys(keys)
  }
  const of: typeof marks.of = token => newest === undefined ? Mark.unknown : isMarked(token, newest) ? Mark.ours : Mark.forged
  Object.defineProperties(marks, { setKeys: { value: remember }, of: { value: of } })
}
