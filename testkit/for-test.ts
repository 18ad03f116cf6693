// What is open for the time of one test.
import type { Test } from 'tap'

/** What `opening` opens; closed when the test is over, whatever its end. */
export async function forTest<Opened extends { readonly close: () => unknown }> (t: Test, opening: Opened | Promise<Opened>): Promise<Opened> {
  const opened = await opening
  t.teardown(() => opened.close())
  return opened
}
