// "Did you mean": the nearest of a closed set of words, by edit distance.

// A third of the word may be wrong, but never less than one letter: `prot` is near `port`, `x` is near nothing.
const toleranceOf = (word: string): number => Math.max(1, Math.floor(word.length / 3))

// A word longer than any of ours is not a misspelling of one; the table below need not grow with it.
const MAX_WORD_LENGTH = 64

/** The candidate nearest to `word`, letter case aside; undefined if none is near. */
export function nearest (word: string, candidates: Iterable<string>): string | undefined {
  if (word.length < 2 || word.length > MAX_WORD_LENGTH) return undefined
  let best: string | undefined
  let bestDistance = toleranceOf(word) + 1
  for (const candidate of candidates) {
    const distance = isBeginning(word, candidate) ? 1 : editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

// `tokenTTL` for `tokenTtlSeconds`: many edits, but plainly meant.
function isBeginning (word: string, candidate: string): boolean {
  return word.length >= 4 && candidate.toLowerCase().startsWith(word.toLowerCase())
}

/** ` Did you mean x?`, or nothing. */
export function didYouMean (word: string, candidates: Iterable<string>): string {
  const candidate = nearest(word, candidates)
  return candidate === undefined ? '' : ` Did you mean ${candidate}?`
}

/**
 * Insertions, deletions, substitutions of one letter, and swaps of two that are side by side.
 *
 * @see Damerau, A technique for computer detection and correction of spelling errors (1964); here without edits inside a swap
 */
function editDistance (from: string, to: string): number {
  let before: readonly number[] = []
  let row: readonly number[] = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const substitution = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1)
      const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      next.push(Math.min(substitution, row[j]! + 1, next[j - 1]! + 1, isSwap ? before[j - 2]! + 1 : Infinity))
    }
    before = row
    row = next
  }
  return row[to.length]!
}
