// Two network namespaces: this process, with the players and the game servers, is in one of them already; the director gets
// the other one, with several addresses of both families.
//
//   players, game servers           director
//   c0  10.9.0.100, fd09::100  ───  d0  10.9.0.1, .2, 10.9.1.7, fd09::1, ::2      lo  198.51.100.9, fd77::9, 127.0.0.0/8
import { openNamespace, orThrow } from '../namespaces.js'

/** Where players and game servers are. */
export const here = { 4: '10.9.0.100', 6: 'fd09::100' } as const

/** Every address of the director; the last two of each family are on another interface or in another network. */
export const theirs = ['10.9.0.1', '10.9.0.2', '10.9.1.7', '198.51.100.9', 'fd09::1', 'fd09::2', 'fd77::9'] as const

export const BROADCAST = '10.9.0.255'

export interface Network {
  /** What starts a program at the director's side: put it in front of the program and its arguments. */
  readonly there: readonly string[]
  /** Adds an address to the director's interface. */
  readonly add: (address: string) => Promise<void>
}

export async function openNetwork (): Promise<Network> {
  const there = await openNamespace('the director\'s network')
  const inside = async (...args: string[]): Promise<void> => { await there.run('ip', ...args) }
  const outside = async (...args: string[]): Promise<void> => { await orThrow('ip', ...args) }
  await outside('link', 'set', 'lo', 'up')
  await outside('link', 'add', 'c0', 'type', 'veth', 'peer', 'name', 'd0', 'netns', there.pid)
  await outside('address', 'add', `${here[4]}/24`, 'broadcast', BROADCAST, 'dev', 'c0')
  await outside('address', 'add', `${here[6]}/64`, 'dev', 'c0', 'nodad')
  await outside('link', 'set', 'c0', 'up')
  await inside('link', 'set', 'lo', 'up')
  for (const address of ['10.9.0.1/24', '10.9.0.2/24']) await inside('address', 'add', address, 'broadcast', BROADCAST, 'dev', 'd0')
  await inside('address', 'add', '10.9.1.7/32', 'dev', 'd0')
  await inside('address', 'add', '198.51.100.9/32', 'dev', 'lo')
  for (const address of ['fd09::1/64', 'fd09::2/64']) await inside('address', 'add', address, 'dev', 'd0', 'nodad')
  await inside('address', 'add', 'fd77::9/128', 'dev', 'lo')
  await inside('link', 'set', 'd0', 'up')
  for (const address of ['10.9.1.7/32', '198.51.100.9/32', '10.9.0.3/32']) await outside('route', 'replace', address, 'via', '10.9.0.1')
  await outside('route', 'add', 'fd77::9/128', 'via', 'fd09::1')
  return { there: there.prefix, add: async address => { await inside('address', 'add', `${address}/24`, 'dev', 'd0') } }
}
