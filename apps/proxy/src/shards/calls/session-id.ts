// Session ids as people see them: the core's own, and in front of it the number of the shard, if that is not the first.
//
//   1a-7     slot 1a, serial 7, first shard          2.1a-7     the same of the third

/** What the ids of a shard start with. */
export function sessionIdPrefix (shard: number): string {
  return shard === 0 ? '' : `${shard.toString(36)}.`
}

/** The number of the shard that made this id; any number if it is not an id. */
export function shardOfSessionId (id: string): number {
  const dot = id.indexOf('.')
  return dot < 0 ? 0 : Number.parseInt(id.slice(0, dot), 36)
}
