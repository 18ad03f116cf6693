// Reads PromQL as far as it takes to know which series an expression is about, by which labels it chooses and groups
// them, and what is made of them. No parser of the whole language: what it does not know it refuses.
// https://prometheus.io/docs/prometheus/latest/querying/basics/

export interface Matcher {
  readonly label: string
  readonly value: string
}

export interface Selector {
  readonly name: string
  readonly matchers: readonly Matcher[]
  /** Whether there is a range behind it, as `[5m]`. */
  readonly isRange: boolean
  /** The function or aggregation around it; undefined if there is none. */
  readonly within: string | undefined
}

/** Labels by which series are brought together (`by`, `on`), and the series that must therefore have them. */
export interface Grouping {
  readonly labels: readonly string[]
  readonly selectors: readonly Selector[]
}

export interface Reading {
  readonly selectors: readonly Selector[]
  readonly groupings: readonly Grouping[]
}

const aggregations: ReadonlySet<string> = new Set(['sum', 'min', 'max', 'avg', 'count', 'topk', 'bottomk'])
const functions: ReadonlySet<string> = new Set(['rate', 'increase', 'irate', 'changes', 'resets', 'max_over_time', 'min_over_time', 'avg_over_time', 'deriv', 'histogram_quantile', 'absent', 'time', 'clamp_max', 'clamp_min', 'label_values'])
const setWords: ReadonlySet<string> = new Set(['and', 'or', 'unless', 'bool', 'offset'])
const groupWords: ReadonlySet<string> = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right'])

const TOKEN = /\s+|"(?:[^"\\]|\\.)*"|[a-zA-Z_:][\w:]*|\d+(?:\.\d+)?[a-z]*|\$\w+|[=!]~|[=!<>]=|[-+*/%^<>=(){},[\]]/y

/** Throws with what it does not understand. */
export function readPromql (text: string): Reading {
  const reader = new Reader(tokensOf(text))
  reader.expression(undefined)
  reader.end()
  return reader
}

function tokensOf (text: string): string[] {
  const tokens: string[] = []
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < text.length;) {
    const at = TOKEN.lastIndex
    const [token = ''] = TOKEN.exec(text) ?? []
    if (token === '') throw new Error(`not understood: ${text.slice(at)}`)
    if (token.trim() !== '') tokens.push(token)
  }
  return tokens
}

class Reader implements Reading {
  readonly selectors: Selector[] = []
  readonly groupings: Grouping[] = []
  readonly #tokens: readonly string[]
  #next = 0

  constructor (tokens: readonly string[]) {
    this.#tokens = tokens
  }

  /** Up to the parenthesis or comma that ends it; returns its selectors. */
  expression (within: string | undefined): Selector[] {
    const from = this.selectors.length
    const joins: string[][] = []
    for (let token = this.#peek(); token !== undefined && token !== ')' && token !== ','; token = this.#peek()) {
      this.#next++
      if (token === '(') this.#closing(() => this.expression(within))
      else if (token === 'on') joins.push(this.#labels())
      else if (groupWords.has(token)) this.#labels()
      else if (aggregations.has(token)) this.#aggregation(token)
      else if (functions.has(token)) this.#call(token)
      else if (/^[a-zA-Z_:]/.test(token) && !setWords.has(token)) this.#selector(token, within)
    }
    const mine = this.selectors.slice(from)
    for (const labels of joins) this.groupings.push({ labels, selectors: mine })
    return mine
  }

  end (): void {
    if (this.#peek() !== undefined) throw new Error(`too much: ${this.#tokens.slice(this.#next).join(' ')}`)
  }

  // `sum by (a) (…)` and `sum(…) by (a)`.
  #aggregation (name: string): void {
    const before = this.#by()
    const selectors = this.#call(name)
    const labels = [...before, ...this.#by()]
    if (labels.length > 0) this.groupings.push({ labels, selectors })
  }

  #by (): string[] {
    if (this.#peek() !== 'by') return []
    this.#next++
    return this.#labels()
  }

  #call (name: string): Selector[] {
    this.#take('(')
    return this.#closing(() => {
      const selectors = this.expression(name)
      for (; this.#peek() === ','; selectors.push(...this.expression(name))) this.#next++
      return selectors
    })
  }

  #closing<Value> (read: () => Value): Value {
    const value = read()
    this.#take(')')
    return value
  }

  #selector (name: string, within: string | undefined): void {
    const matchers: Matcher[] = []
    if (this.#peek() === '{') {
      this.#next++
      while (this.#peek() !== '}') {
        const label = this.#any()
        if (!/^(?:=|!=|=~|!~)$/.test(this.#any())) throw new Error(`no matcher of ${name}: ${label}`)
        matchers.push({ label, value: this.#any().slice(1, -1) })
        this.#skip(',')
      }
      this.#take('}')
    }
    const isRange = this.#peek() === '['
    if (isRange) {
      this.#next += 2
      this.#take(']')
    }
    this.selectors.push({ name, matchers, isRange, within })
  }

  #labels (): string[] {
    this.#take('(')
    const labels: string[] = []
    while (this.#peek() !== ')') {
      labels.push(this.#any())
      this.#skip(',')
    }
    this.#take(')')
    return labels
  }

  #peek (): string | undefined {
    return this.#tokens[this.#next]
  }

  #any (): string {
    const token = this.#peek()
    if (token === undefined) throw new Error('it ends too early')
    this.#next++
    return token
  }

  #skip (token: string): void {
    if (this.#peek() === token) this.#next++
  }

  #take (token: string): void {
    const found = this.#any()
    if (found !== token) throw new Error(`${token} expected, not ${found}`)
  }
}
