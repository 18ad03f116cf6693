import { createSocket } from 'node:dgram'

const [host = '127.0.0.1', queryPort = '9000'] = process.argv.slice(2)
const fail = why => { console.error(why); process.exit(1) }
setTimeout(fail, 5000, `${host} did not answer within 5 s.`).unref()
const body = JSON.stringify({ resourceType: 'gameserver', namespace: 'games', labelSelector: { map: 'de_dust2' } })
const answer = await fetch(`http://${host}:${queryPort}/query`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  .catch(({ message, cause }) => fail(`${host} cannot be reached: ${cause?.message ?? message}.`))
const { token, dataPorts, detail } = await answer.json()
if (!answer.ok) fail(`No token: ${detail}`)
const socket = createSocket('udp4').on('message', data => { console.log(String(data)); socket.close(); clearInterval(timer) })
const say = () => { for (const data of [token, 'hello']) socket.send(data, dataPorts[0].port, dataPorts[0].address ?? host) }
const timer = setInterval(say, 500) // again until the server answers: a repeated token does no harm
say()
