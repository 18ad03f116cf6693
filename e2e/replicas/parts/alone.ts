// Three directors behind one address that share nothing: what docs/scaling.md says must not be relied on. It also shows that the
// balancer here spreads what the other parts believe it spreads.
import { check, note } from '../../inside.js'
import { join, untilAnswered } from '../crowd.js'
import { PLAYERS, tokensFor, withFleet, withPlayers, type Lab } from '../lab.js'
import { everyReplica } from '../network.js'

// A third of 150 is 50 and the standard deviation 6: one run in millions is beyond these.
const SOME = { least: 20, most: 85 }

export async function alone (lab: Lab): Promise<void> {
  await withFleet(lab, {}, async fleet => {
    await withPlayers(PLAYERS, async players => {
      const tokens = await tokensFor(fleet, players)
      const joined = await join(players, tokens)
      note(`nothing shared: ${joined.right.length} of ${PLAYERS} tokens reach their game server, ${joined.wrong.length} players are sent elsewhere`)
      await check('without a shared store a token works at its own replica only', () => some(joined.right.length))

      await lab.balancer.spread('random', everyReplica)
      await lab.balancer.flush()
      const { right, wrong } = await untilAnswered(joined.right, player => { player.say() })
      note(`nothing shared, flows forgotten: ${right.length} of ${joined.right.length} sessions go on, ${wrong.length} players are sent elsewhere`)
      await check('without a shared store a session does not follow its client', () => right.length < joined.right.length ? Promise.resolve() : Promise.reject(new Error('all of them went on')))
    })
  })
}

async function some (count: number): Promise<void> {
  if (count < SOME.least || count > SOME.most) throw new Error(`${count} of ${PLAYERS} did`)
  await Promise.resolve()
}
