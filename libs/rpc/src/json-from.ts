/** What a text says. Text that is not JSON becomes undefined, which fits no schema: whoever wrote it does not speak the contract. */
export function jsonFrom (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch { // SyntaxError
    return undefined
  }
}
