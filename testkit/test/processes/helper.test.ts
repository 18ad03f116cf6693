import t from 'tap'
import { openHelper } from '../../processes/helper.js'
import type { HelpingCalls } from './helping.js'

const entry = new URL('helping.js', import.meta.url)

void t.test('a helper answers, one after the other and all at once, tells faults, and ends when nobody wants it', async t => {
  const helper = openHelper<HelpingCalls>(entry, ['/usr/bin/env', '-u', 'NODE_OPTIONS'])
  t.equal(await helper.call('add', 2), 2)
  t.same(await Promise.all([1, 2, 3].map(async number => await helper.call('add', number))), [3, 5, 8])
  await t.rejects(helper.call('fail', undefined), /as it was told/)
  await helper.close()
})

void t.test('a helper that dies rejects what it was asked, and can be closed', async t => {
  const helper = openHelper<HelpingCalls>(entry, ['/usr/bin/env', '-u', 'NODE_OPTIONS'])
  await t.rejects(helper.call('die', undefined), /ended before it answered/)
  await helper.close()
})
