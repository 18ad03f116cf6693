// Why a selection found nothing, in words that tell a matchmaker what to change, and no address.
import type { Selection } from '#config/schema.js'
import { unusable, type Unusable } from '../targets/candidate.js'

/** How many objects were left after each stage; a stage that was not asked for leaves all. */
export interface StageCounts {
  readonly labels: number
  readonly status: number
  readonly annotations: number
}

/** One sentence about the stages that `selection` asked for; `refused` has the reasons against what passed them all, and how often. */
export function noMatchDetail (selection: Selection, counts: StageCounts, refused: ReadonlyMap<Unusable, number>): string {
  const { labels, status, annotations } = counts
  const hasLabels = Object.keys(selection.labelSelector ?? {}).length > 0
  if (labels === 0) return `No object of this type in this namespace${hasLabels ? ' matches the labels' : ''}.`
  const parts = [`${labels} ${labels === 1 ? 'object' : 'objects'} of this type${hasLabels ? ` ${labels === 1 ? 'matches' : 'match'} the labels` : ''}`]
  if (selection.statusQuery !== undefined) parts.push(stage(status, 'the status query'))
  if (selection.annotationSelector !== undefined && status > 0) parts.push(stage(annotations, 'the annotations'))
  if (refused.size > 0) parts.push(`none is usable: ${reasons(refused)}`)
  return `${parts.join(', ')}.`
}

function stage (count: number, what: string): string {
  return count === 0 ? `none matches ${what}` : `${count} also ${what}`
}

function reasons (refused: ReadonlyMap<Unusable, number>): string {
  return [...refused].map(([reason, count]) => `${count} ${unusable[reason]}`).join(', ')
}
