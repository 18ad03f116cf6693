// Which series a PromQL expression is about, by which labels it chooses and groups them, and what is made of them; read
// by the grammar that Prometheus' own pages use.
// https://prometheus.io/docs/prometheus/latest/querying/basics/
import type { SyntaxNode } from '@lezer/common'
import { parser } from '@prometheus-io/lezer-promql'

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
  /** As they stand in the text. */
  readonly groupings: readonly Grouping[]
}

/** Throws if `text` is not PromQL, but for Grafana's `[$__rate_interval]`. */
export function readPromql (text: string): Reading {
  const read = (node: SyntaxNode): string => expression.slice(node.from, node.to)
  const expression = text.replaceAll('[$__rate_interval]', '[5m]')
  const { topNode } = parser.parse(expression)
  topNode.cursor().iterate(({ type, from }) => {
    if (type.isError) throw new Error(`not understood: ${expression.slice(from) || 'it ends too early'}`)
  })
  const selectorsIn = (node: SyntaxNode): Selector[] => nodesIn(node, 'VectorSelector').map(selector => selectorFrom(selector, read))
  return {
    selectors: selectorsIn(topNode),
    groupings: nodesIn(topNode, 'GroupingLabels').flatMap(grouping => {
      const clause = grouping.parent! // `by (…)` or `on (…)`; `group_left (…)`, `without (…)` and `ignoring (…)` bring nothing together
      if (clause.getChild('By') === null && (clause.getChild('On') === null || clause.getChild('GroupingLabels')!.from !== grouping.from)) return []
      return [{ labels: grouping.getChildren('LabelName').map(read), selectors: selectorsIn(clause.parent!) }]
    })
  }
}

function selectorFrom (node: SyntaxNode, read: (node: SyntaxNode) => string): Selector {
  const name = node.getChild('Identifier')
  if (name === null) throw new Error(`${read(node)} has no name of a metric`)
  const matchers = nodesIn(node, 'UnquotedLabelMatcher').map(matcher => ({
    label: read(matcher.getChild('LabelName')!),
    value: read(matcher.getChild('StringLiteral')!).slice(1, -1)
  }))
  return { name: read(name), matchers, isRange: node.parent?.name === 'MatrixSelector', within: within(node, read) }
}

function within (node: SyntaxNode, read: (node: SyntaxNode) => string): string | undefined {
  for (let around = node.parent; around !== null; around = around.parent) {
    const name = around.getChild('FunctionIdentifier') ?? around.getChild('AggregateOp')
    if (name !== null) return read(name)
  }
  return undefined
}

/** All nodes of a kind in `node`, itself too, as they stand in the text. */
function nodesIn (node: SyntaxNode, kind: string): SyntaxNode[] {
  const found: SyntaxNode[] = []
  node.cursor().iterate(({ name, node }) => { if (name === kind) found.push(node) })
  return found
}
