/** Both ends of a range of ports, as in `0-1023`; of a single one, as in `1900`, the same port twice. */
export type PortRange = readonly [first: number, last: number]

/** The range that `text` names, or undefined if it names none. */
export function portRange (text: string): PortRange | undefined {
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? []
  if (first === undefined) return undefined
  const range = [Number(first), Number(last)] as const
  return range[0] <= range[1] && range[1] <= 65_535 ? range : undefined
}
