// Just enough of Prometheus' text exposition format to look up a counter.

/**
 * The sum of the samples of `name` whose labels include `labels`; 0 if there are none. Our own label values hold no
 * quotes, commas or backslashes, so there is nothing to unescape.
 */
export function metricValue (text: string, name: string, labels: Readonly<Record<string, string>> = {}): number {
  let sum = 0
  for (const line of text.split('\n')) {
    const [, sample, labelText = '', value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line) ?? []
    if (sample !== name) continue
    const pairs = labelText.split(',')
    if (Object.entries(labels).every(([label, wanted]) => pairs.includes(`${label}="${wanted}"`))) sum += Number(value)
  }
  return sum
}
