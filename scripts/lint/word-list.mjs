// Words that docs and comments do not use, each with what is said instead. CONTRIBUTING.md, "How a text reads", has the
// rules behind it; a row is here because the phrase came back more than once.

/** @typedef {readonly [phrase: RegExp, instead: string]} Row */

/** @type {readonly Row[]} */
export const wordList = [
  [/\b(?:he|him|his|himself)\b/i, 'they, them, their: a player or an attacker may be anybody'],
  [/(?<!there )\b(?:is|was) no (?!longer|more|less|better|worse|one|need|doubt|way)/i, '"is not a …"'],
  [/(?<!there )\b(?:are|were) no (?!longer|more|less|better|worse)/i, '"are not …"'],
  [/\bmend(?:s|ed|ing)?\b/i, 'recover (of a program), fix or repair (of people)'],
  [/\bso many (?:ms|milliseconds|seconds|bytes|lines|times)\b/i, '"N ms", or the name of the number'],
  [/\b(?:control|proxy)'s word\b|\btakes? (?:the|its) word back\b/i, 'order, cancel, renew'],
  [/\ban enemy\b|\bthe enemy\b/i, 'an attacker'],
  [/\bin earnest\b|\bin peace\b/i, 'say what happens'],
  [/\bwithout words\b/i, 'without output']
]

/**
 * What is wrong with a text, one line a fault: `line: "phrase": say …`. Blocks and spans of code in Markdown are not prose.
 *
 * @param {string} text
 * @param {'markdown' | 'source'} kind
 */
export function findWords (text, kind) {
  const prose = kind === 'source' ? text : text.replaceAll(/^```[\s\S]*?^```$/gm, block => block.replaceAll(/[^\n]/g, ' ')).replaceAll(/`[^`\n]*`/g, 'x')
  return prose.split('\n').flatMap((line, at) => wordList.flatMap(([phrase, instead]) => {
    const found = phrase.exec(line)
    return found === null ? [] : [`${at + 1}: "${found[0].trim()}": say ${instead}`]
  }))
}
