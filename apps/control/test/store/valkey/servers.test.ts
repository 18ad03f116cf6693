// The conformance suite on real servers, in each of their shapes.
import t from 'tap'
import { startServer, withServer } from '#testkit/store/store-server.js'
import { conforms } from '../conformance.js'
import { opener } from './opening.js'

void t.test('one server', withServer, async t => {
  const { port } = await startServer(t)
  await conforms(t, opener({ urls: [`valkey://127.0.0.1:${port}`] }))
})
