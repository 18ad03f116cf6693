// One line of a file of keys, as the director reads it and as a client may have the same file.

// A key is a token68 (RFC 6750 §2.1), which has no colon, so that one can end a name. A signed token is one too.
const LINE = /^(?:([A-Za-z0-9][A-Za-z0-9._-]{0,62})\s*:\s*)?([\w\-.~+/]+=*)$/

export interface KeyLine {
  /** Undefined if the line has only a key. */
  readonly name: string | undefined
  readonly key: string
}

/** Whether a line of the file says nothing: it is blank, or a comment. */
export function isIdleKeyLine (line: string): boolean {
  const content = line.trim()
  return content === '' || content.startsWith('#')
}

/** `key`, or `name: key`; undefined if the line is neither. */
export function keyLineFrom (line: string): KeyLine | undefined {
  const [, name, key] = LINE.exec(line.trim()) ?? []
  return key === undefined ? undefined : { name, key }
}
